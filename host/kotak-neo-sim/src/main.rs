//! `kotak-neo-sim`: a Kotak Neo account that is not one, for a bot in any language.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, anyhow};
use calendar::Calendar;
use chrono::NaiveDateTime;
use clap::Parser;
use kotak_neo_sim::{Credentials, MachineClock, PacedClock, Script, Server, Sim, SimConfig};
use market::demo::{DAY1, SEEDED_ENTRY_PRICE, SEEDED_QUANTITY, SEEDED_SYMBOL};
use market::{Dataset, PriceSource, ReplayMarket, ReplayOptions};
use model::{Exchange as Place, Money, Timestamp};
use paper::{Exchange, Opening, PaperConfig};

/// A made-up Kotak Neo account on a paper exchange, with faults on demand.
#[derive(Parser)]
#[command(version, after_help = EXAMPLES)]
struct Args {
    /// Where to listen. Port 0 takes a free one. The control routes have no password: stay on 127.0.0.1.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Faults, as TOML: the kinds are in the README.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// When the clock begins, in India: 2026-05-13T10:00. It runs at real speed from there. Without it:
    /// 10:00 on the last day of the data.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    from: Option<Timestamp>,
    /// Imported data (`tradeagent data import`) in place of the embedded, made-up prices.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Rupees in the account.
    #[arg(long, default_value = "1000000", value_name = "RUPEES")]
    cash: Money,
    /// Whether a login ends the sessions before it, as the real broker's does.
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, value_name = "BOOL")]
    one_session: bool,
    /// Fixes tokens and what chance decides.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print the credentials, one NAME=VALUE a line, and end.
    #[arg(long)]
    print_credentials: bool,
}

const EXAMPLES: &str = "\
Examples:
  kotak-neo-sim                                           an open market on made-up prices
  kotak-neo-sim --listen 127.0.0.1:0 --script bad-day.toml
  kotak-neo-sim --data data --from 2025-03-04T09:10       a day of your own data, five minutes before the open
  kotak-neo-sim --print-credentials > kotak_neo.env       what to log in with
  curl -s http://127.0.0.1:8080/_sim/state                what has happened so far
  curl -s -d '{\"kind\":\"foreign-login\"}' http://127.0.0.1:8080/_sim/faults";

fn instant(text: &str) -> Result<Timestamp, String> {
    let local = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .ok_or_else(|| "write it as 2026-05-13T10:00, the time in India".to_owned())?;
    Ok(Timestamp::from_ist(local.date(), local.time()))
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let credentials = Credentials::default();
    if args.print_credentials {
        print!("{}", pasted(&credentials));
        return Ok(());
    }
    let script = args.script.as_deref().map(Script::load).transpose()?.unwrap_or_default();
    let calendar = Calendar::bundled();
    let data = match &args.data {
        Some(folder) => Arc::new(Dataset::load(folder, &calendar)?),
        None => Dataset::demo(),
    };
    let from = match args.from {
        Some(from) => from,
        None => morning(&args, &data)?,
    };
    let clock = Arc::new(PacedClock::starting_at(from));
    let sim = world(&args, credentials.clone(), data, calendar, Arc::clone(&clock));
    sim.moves_time_by(move |by| clock.advance(by));
    sim.takes_codes_of(Arc::new(MachineClock));
    let faults = script.fault.len();
    for fault in script.fault {
        sim.faults().add(fault);
    }
    let server = Server::start(args.listen, sim).with_context(|| {
        format!("cannot listen on {}: choose another --listen, or port 0 for a free one", args.listen)
    })?;
    println!("{}", greeting(server.address(), from, faults, &credentials));
    server.wait();
    Ok(())
}

/// When an open market begins on the last day that the data tell of.
fn morning(args: &Args, data: &Dataset) -> anyhow::Result<Timestamp> {
    if args.data.is_none() {
        return Ok(Timestamp::at_ist(DAY1, 10, 0));
    }
    let last = [Place::Nse, Place::Bse].iter().filter_map(|place| data.sessions(*place).dates.last()).max();
    let last =
        last.ok_or_else(|| anyhow!("the data hold no day: import some with `tradeagent data import`"))?;
    Ok(Timestamp::at_ist(*last, 10, 0))
}

/// The account on its exchange.
fn world(
    args: &Args,
    credentials: Credentials,
    data: Arc<Dataset>,
    calendar: Calendar,
    clock: Arc<PacedClock>,
) -> Arc<Sim> {
    let listing: Vec<_> = data.histories().iter().map(|history| history.symbol.clone()).collect();
    let market = Arc::new(ReplayMarket::new(data, calendar.clone(), ReplayOptions::default()));
    let mut rules = PaperConfig::new(args.cash);
    rules.seed = args.seed;
    if args.data.is_none() {
        rules.opening.push(Opening {
            symbol: SEEDED_SYMBOL.into(),
            quantity: SEEDED_QUANTITY,
            price: SEEDED_ENTRY_PRICE,
            settles: calendar.known_from(),
        });
    }
    let prices = Arc::clone(&market) as Arc<dyn PriceSource>;
    let exchange = Arc::new(Mutex::new(Exchange::new(prices, calendar.clone(), rules)));
    let config = SimConfig {
        credentials,
        one_session: args.one_session,
        seed: args.seed,
        calendar,
        ..SimConfig::new(listing)
    };
    Sim::new(config, exchange, market, clock)
}

/// The names that bots for this broker usually have in their env file.
fn pasted(credentials: &Credentials) -> String {
    let Credentials { ucc, mobile, consumer_key, totp_secret, mpin } = credentials;
    format!(
        "KOTAK_CONSUMER_KEY={consumer_key}\nKOTAK_MOBILE_NUMBER={mobile}\nKOTAK_UCC={ucc}\nKOTAK_TOTP_SECRET={totp_secret}\nKOTAK_MPIN={mpin}\n"
    )
}

fn greeting(address: SocketAddr, from: Timestamp, faults: usize, credentials: &Credentials) -> String {
    let mut text = format!("kotak-neo-sim listens on http://{address}\n");
    // Writing into text cannot fail.
    let _ = write!(
        text,
        "It is {from} there, and time runs at real speed. No order reaches a real exchange. Faults set: {faults}.\n\n\
         Log in with\n{}\n\
         In a bot, put http://{address} in place of https://mis.kotaksecurities.com, and take `baseUrl` from the\n\
         answer to tradeApiValidate, as always. kotakneoapi 3.0.9, before NeoAPI is made:\n  \
         import neo_api_client.utils.neo_utility as u\n  \
         u.SESSION_PROD_BASE_URL = u.PROD_BASE_URL = u.CONFIG_SERVICE_URL_PROD = \"http://{address}\"\n\n\
         Codes are made from the simulator's time, which the `Date` of every answer tells:\n  \
         curl -s http://{address}/_sim/totp\n\n\
         Control: http://{address}/_sim/state, /_sim/audit, /_sim/faults",
        pasted(credentials)
    );
    text
}
