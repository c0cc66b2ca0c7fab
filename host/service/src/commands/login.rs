//! `login --check`: one login, the session's facts, a logout.

use anyhow::{Context as _, anyhow};
use broker::session::{Generation, KeeperConfig, NoSession};
use model::{Clock as _, Timestamp};
use serde::Serialize;

use crate::cli::LoginArgs;
use crate::clock::SystemClock;
use crate::config::{BrokerKind, Config, KotakNeoConfig};
use crate::exit::{Exit, Failure};
use crate::live::{self, Connection};
use crate::lock::AccountLock;
use crate::lookout::Powers;
use crate::output;

/// What a login gave. Nothing in it is secret.
#[derive(Debug, Serialize)]
struct Facts {
    account: String,
    login_at: String,
    base_url: String,
    data_center: Option<String>,
    kind: Option<String>,
    /// When the token ends by its own word.
    expires: Option<String>,
    clock_skew_ms: Option<i64>,
    /// What the operator should put right before it is left alone.
    warnings: Vec<String>,
    /// This machine's address, as the broker sees it: the one to be registered for orders.
    address: Option<String>,
    orders_today: Option<usize>,
    logged_out: bool,
}

/// Runs it.
pub fn run(args: &LoginArgs) -> Result<(), Failure> {
    let config = Config::load(args.config.path().as_deref())?;
    let kotak = live_account(&config)?;
    output::log_to_stderr();
    let _lock =
        AccountLock::acquire(&config.lock_dir, &config.account.name, "login --check", SystemClock.now())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let facts = runtime.context("the runtime cannot start")?.block_on(check(&config, kotak))?;
    if args.json {
        return output::json_versioned(&facts);
    }
    show(&facts);
    Ok(())
}

/// The broker account of a configuration that has one.
pub(super) fn live_account(config: &Config) -> Result<&KotakNeoConfig, Failure> {
    match &config.account.broker {
        BrokerKind::KotakNeo(kotak) => Ok(kotak),
        other => Err(Failure::config(anyhow!(
            "account {} is at `{}`, which has no login",
            config.account.name,
            other.as_str()
        ))
        .hint("name a configuration with broker = \"kotak-neo\" by --config FILE")),
    }
}

/// How a refused login ends the program.
pub(super) fn no_session(error: NoSession) -> Failure {
    let exit = match &error {
        NoSession::WrongCredentials { .. } => Exit::Config,
        NoSession::Contested { .. } | NoSession::Conflict { .. } | NoSession::ConflictUnknown { .. } => {
            Exit::Conflict
        }
        _ => Exit::Unavailable,
    };
    Failure::new(exit, error)
}

async fn check(config: &Config, kotak: &KotakNeoConfig) -> Result<Facts, Failure> {
    let connection = live::connect(config, kotak, live::clock_of(config, kotak).await?, Powers::LOOKS)?;
    // Asked for by a person: that is a task that is due, whatever the hour.
    let due = connection.keeper.due();
    // Whoever asks for a check has looked at the credentials.
    connection.keeper.operator_cleared();
    say_when(&connection);
    let facts = facts(config, &connection).await;
    drop(due);
    connection.keeper.end().await;
    facts
}

/// A login may have to wait for half a minute: better said than wondered about.
pub(super) fn say_when(connection: &Connection) {
    let seconds = connection.keeper.next_code().nanos_since(connection.now()) / model::time::SECOND;
    if seconds > 0 {
        output::talk(&format!(
            "waiting {seconds} s for the next one-time code: none is sent twice, or in its last moments"
        ));
    }
}

async fn facts(config: &Config, connection: &Connection) -> Result<Facts, Failure> {
    let session = connection.keeper.renew(Generation::NONE).await.map_err(no_session)?;
    let facts = session.client.session();
    let expires = facts.token_expiry().and_then(|seconds| seconds.checked_mul(model::time::SECOND));
    let clock_skew_ms = connection.keeper.status().skew_ms;
    let skew_alarm = KeeperConfig::default().skew_alarm;
    let mut warnings = Vec::new();
    if let Some(ms) = clock_skew_ms.filter(|ms| u128::from(ms.unsigned_abs()) > skew_alarm.as_millis()) {
        warnings.push(format!("this machine's clock and the broker's differ by {ms} ms: set the clock (`timedatectl set-ntp true`)"));
    }
    if expires.is_some_and(|nanos| Timestamp::from_nanos(nanos) <= session.opened) {
        warnings.push("by this machine's clock the token was over when it was given".to_owned());
    }
    Ok(Facts {
        account: config.account.name.to_string(),
        login_at: session.opened.to_string(),
        base_url: facts.base_url.clone(),
        data_center: facts.data_center.clone(),
        kind: facts.kind.clone(),
        expires: expires.map(|nanos| Timestamp::from_nanos(nanos).to_string()),
        clock_skew_ms,
        warnings,
        address: session.client.client_ip().await.ok().map(|answer| answer.ip),
        orders_today: session.client.orders().await.ok().map(|orders| orders.len()),
        logged_out: true,
    })
}

fn show(facts: &Facts) {
    let unknown = || "not told".to_owned();
    let rows = [
        ("account", facts.account.clone()),
        ("logged in", facts.login_at.clone()),
        ("base URL", facts.base_url.clone()),
        ("data centre", facts.data_center.clone().unwrap_or_else(unknown)),
        ("token", facts.kind.clone().unwrap_or_else(unknown)),
        ("ends", facts.expires.clone().unwrap_or_else(unknown)),
        ("clock skew", facts.clock_skew_ms.map_or_else(unknown, |ms| format!("{ms} ms"))),
        ("address", facts.address.clone().unwrap_or_else(unknown)),
        (
            "orders",
            facts.orders_today.map_or_else(|| "could not be read".to_owned(), |count| count.to_string()),
        ),
    ];
    for (what, text) in rows {
        output::line(&format!("{what:<12}{}", output::plain(&text)));
    }
    for warning in &facts.warnings {
        output::line(&format!("warning: {warning}"));
    }
    output::line("The login works; logged out again.");
}
