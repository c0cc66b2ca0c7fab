//! A call of the wire is served: faults, session, work, faults again.

use model::BrokerOrderId;
use serde_json::json;

use crate::call::Call;
use crate::core::Core;
use crate::endpoint::Endpoint;
use crate::faults::{Kind, dead_session, instead};
use crate::login;
use crate::orders::{self, Birth, JData, not_ok};
use crate::reply::{Drip, Reply};
use crate::route::Route;
use crate::session::{Access, Ended};
use crate::wire;

/// What a call did, for the faults that act after it.
#[derive(Default)]
struct Done {
    order: Option<BrokerOrderId>,
    session: Option<u64>,
}

/// Serves one call.
pub(crate) fn serve(core: &mut Core<'_>, endpoint: Endpoint, route: &Route<'_>, call: &Call) -> Reply {
    *core.state.calls.entry(endpoint).or_default() += 1;
    let met = core.meet(endpoint);
    foreign_logins(core, endpoint != Endpoint::Validate, &met);
    let access = access(core, endpoint, call);
    if let Some(reply) = before(core, &met, access) {
        return reply;
    }
    let mut done = Done::default();
    let reply = match admitted(core, endpoint, access, call) {
        Ok(()) => work(core, route, call, access, &met, &mut done),
        Err(refusal) => refusal,
    };
    after(core, endpoint, &met, access, &done, reply)
}

/// What `Auth` and `Sid` are worth; counted where they matter.
fn access(core: &mut Core<'_>, endpoint: Endpoint, call: &Call) -> Access {
    if !Endpoint::SESSION.contains(&endpoint) && endpoint != Endpoint::Logout {
        return Access::Unknown;
    }
    let (token, sid) = (call.header("auth").unwrap_or_default(), call.header("sid").unwrap_or_default());
    core.state.sessions.access(token, sid)
}

/// Another program logs in, at once where so told.
fn foreign_logins(core: &mut Core<'_>, wanted: bool, met: &[Kind]) {
    for kind in met.iter().filter(|_| wanted) {
        if let Kind::ForeignLogin { after_s } = kind {
            core.state.sessions.foreign_login_at(core.now.plus_seconds(i64::from(*after_s)));
        }
    }
    core.pass_sessions();
}

/// The first fault that answers in place of the work.
fn before(core: &mut Core<'_>, met: &[Kind], access: Access) -> Option<Reply> {
    for kind in met {
        if let (Kind::Expired { kills: true, .. }, Access::Trade(number)) = (kind, access) {
            core.state.sessions.end(number, core.now, Ended::Fault);
        }
    }
    met.iter().filter_map(instead).find(|(_, after)| !after).map(|(reply, _)| reply)
}

/// Whether the call carries what it must.
fn admitted(core: &Core<'_>, endpoint: Endpoint, access: Access, call: &Call) -> Result<(), Reply> {
    if Endpoint::DATA.contains(&endpoint) {
        return login::access_token(core, call);
    }
    if !Endpoint::SESSION.contains(&endpoint) && endpoint != Endpoint::Logout {
        return Ok(());
    }
    if core.config.strict && endpoint != Endpoint::ClientIp && call.header("neo-fin-key").is_none() {
        return Err(login::missing("neo-fin-key"));
    }
    match access {
        Access::Trade(_) => Ok(()),
        Access::View => Err(dead_session(crate::faults::Spelling::Code100021)),
        Access::Ended(_) | Access::Unknown => Err(dead_session(core.config.dead_session)),
    }
}

fn work(
    core: &mut Core<'_>,
    route: &Route<'_>,
    call: &Call,
    access: Access,
    met: &[Kind],
    done: &mut Done,
) -> Reply {
    let empty = met.iter().find_map(|kind| match kind {
        Kind::EmptyBook { shape } => Some(*shape),
        _ => None,
    });
    match *route {
        Route::Login => login::login(core, call),
        Route::Validate => {
            let (reply, opened) = login::validate(core, call);
            done.session = opened;
            reply
        }
        Route::Logout => match access {
            Access::Trade(number) => login::logout(core, number),
            _ => dead_session(core.config.dead_session),
        },
        Route::ClientIp => login::client_ip(core),
        Route::Place => {
            let birth = birth(core, met);
            let (reply, order) = orders::place(core, call, birth);
            done.order = order;
            reply
        }
        Route::Modify => {
            let (reply, order) = orders::modify(core, call);
            done.order = order;
            reply
        }
        Route::Cancel => {
            let (reply, order) = orders::cancel(core, call);
            done.order = order;
            reply
        }
        Route::Discontinued => {
            not_ok(200, 1002, "invalid input: CO and BO are discontinued on the Trade API", "Not_Ok")
        }
        Route::Orders | Route::Order(_) | Route::Trades | Route::Positions if empty.is_some() => {
            wire::book("Ok", Vec::new(), empty.unwrap_or_default())
        }
        Route::Holdings if empty.is_some() => Reply::ok(&json!({"data": []})),
        Route::Orders => orders::order_book(core),
        Route::Order(number) => orders::one_order(core, number),
        Route::History => match JData::of(call) {
            Ok(data) => orders::history(core, &data.filled("nOrdNo").unwrap_or_default()),
            Err(refusal) => refusal,
        },
        Route::Trades => orders::trade_book(core, met.contains(&Kind::DuplicateFills)),
        Route::Positions => wire::book("ok", wire::position_row::position_rows(core), core.config.empty_book),
        Route::Holdings => wire::holding_row::holdings(core),
        Route::Limits => wire::limits::limits(core),
        Route::Margin => wire::margin::margin(core, call),
        Route::Quotes(asked, filter) => wire::quotes::quotes(core, asked, filter),
        Route::MasterPaths => match login::access_token(core, call) {
            Ok(()) => wire::master::paths(core, &call.origin),
            Err(refusal) => refusal,
        },
        Route::MasterFile(file) => wire::master::file(core, file),
        Route::Expiries => wire::watchlist::expiries(call),
        Route::OptionChain => wire::watchlist::option_chain(call),
        Route::Historical => wire::historical::candles(core, call),
        Route::Control(_) | Route::Unknown => unknown(),
    }
}

/// A wrong base URL (v2#79).
fn unknown() -> Reply {
    let text = "Invalid URL. Please verify the 'baseUrl' in the Login Validate API response";
    Reply::json(404, &json!({"stCode": 200_032, "errMsg": text, "stat": "Not_Ok"}))
}

/// What faults do to an order from its first moment on.
fn birth(core: &Core<'_>, met: &[Kind]) -> Birth {
    let mut birth = Birth::default();
    for kind in met {
        let spoiled = &mut birth.spoiled;
        let later = |seconds: u32| core.now.plus_seconds(i64::from(seconds));
        match kind {
            Kind::LateBook { seconds, trades } => {
                (spoiled.hidden_until, spoiled.hides_trades) = (Some(later(*seconds)), *trades);
            }
            Kind::PartialFills { parts, every_s } => spoiled.parts = Some((*parts, *every_s)),
            Kind::DuplicateFills => spoiled.doubled = true,
            Kind::StrangeStatus { text, seconds } => {
                spoiled.strange = Some((text.clone(), seconds.map(later)));
            }
            Kind::AlteredTag { text } => birth.shown_tag = Some(altered(core, text.as_deref())),
            Kind::BlankTag => birth.shown_tag = Some(String::new()),
            _ => {}
        }
    }
    birth
}

/// In the style of one seen live: `1764835124-266187-****-ADMINAPI`.
fn altered(core: &Core<'_>, text: Option<&str>) -> String {
    let seconds = wire::time::seconds(core.now);
    text.map_or_else(|| format!("{seconds}-{:06}-****-ADMINAPI", seconds % 1_000_000), str::to_owned)
}

/// What faults do once the work is done.
fn after(
    core: &mut Core<'_>,
    endpoint: Endpoint,
    met: &[Kind],
    access: Access,
    done: &Done,
    mut reply: Reply,
) -> Reply {
    for kind in met {
        match kind {
            Kind::TokenDies { after_s } => {
                let own = if let Access::Trade(number) = access { Some(number) } else { None };
                if let Some(number) = done.session.or(own) {
                    core.state.sessions.dies_at(number, core.now.plus_seconds(i64::from(*after_s)));
                }
            }
            Kind::FillBeforeAnswer => fill(core, done),
            Kind::AlteredTag { .. } | Kind::BlankTag if endpoint != Endpoint::Place => {
                retag(core, done, kind);
            }
            Kind::StrangeStatus { text, seconds } if endpoint != Endpoint::Place => {
                let until = seconds.map(|seconds| core.now.plus_seconds(i64::from(seconds)));
                if let Some(order) = touched(core, done) {
                    order.spoiled.strange = Some((text.clone(), until));
                }
            }
            Kind::SlowBody { chunk_bytes, every_ms } => {
                reply = reply.dripping(Drip { chunk_bytes: (*chunk_bytes).max(1), every_ms: *every_ms });
            }
            Kind::LateAnswer { ms } => reply = reply.later(*ms),
            _ => {}
        }
    }
    if done.session.is_some() {
        foreign_logins(core, true, met);
    }
    met.iter().filter_map(instead).find(|(_, after)| *after).map_or(reply, |(instead, _)| instead)
}

fn touched<'a>(core: &'a mut Core<'_>, done: &Done) -> Option<&'a mut crate::orders::Tracked> {
    core.state.orders.get_mut(done.order.as_ref()?.as_str())
}

fn retag(core: &mut Core<'_>, done: &Done, kind: &Kind) {
    let tag = match kind {
        Kind::AlteredTag { text } => altered(core, text.as_deref()),
        _ => String::new(),
    };
    if let Some(order) = touched(core, done) {
        order.shown_tag = tag;
    }
}

/// Lets the exchange run ahead to the next points of the price path, at most a minute, until the order is
/// filled. Its clock is behind until ours has caught up; what is shown is never later than ours.
fn fill(core: &mut Core<'_>, done: &Done) {
    let Some(id) = &done.order else { return };
    for seconds in [20, 40, 60] {
        let open = core.exchange.order(id).is_some_and(|row| !row.status.is_final());
        if open {
            core.exchange.advance(core.now.plus_seconds(seconds));
        }
    }
    orders::sync(core);
}
