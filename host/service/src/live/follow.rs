//! What follows the session: its keeper's timer, the order feed, the quotes.

use std::sync::Arc;

use broker::Broker as _;
use broker::session::{Generation, KeeperConfig};
use kotak_neo_broker::FeedNews;
use model::{Date, Timestamp};
use oms::Desk;
use tokio::sync::Notify;

use super::Connection;
use crate::services::Sessions;

/// Between two looks at the keeper.
const TEND_SECONDS: i64 = 15;
/// Between two looks for other programs on the account.
const PATROL_SECONDS: i64 = 180;
/// Between two reports that a young session is asked for.
const YOUNG_SECONDS: i64 = 60;
/// Between two looks for a session whose feed can be followed, and after one has ended.
const FEED_SECONDS: i64 = 5;
/// The longest wait before the feed of one and the same session is tried again after it was refused.
const FEED_SECONDS_MAX: i64 = 300;
/// Between two looks at which quotes are due.
const QUOTES_SECONDS: i64 = 1;
/// News of the feed within this time make one reading of the books.
const GATHER_MILLIS: i64 = 300;

/// The session that the broker's list of shares is for at `now`: today's, also in the evening (tomorrow's
/// bands come with tomorrow's list), else the next one.
pub(super) fn listed_session(sessions: &Sessions, now: Timestamp) -> Date {
    let Sessions { calendar, exchange, .. } = sessions;
    let today = now.ist_date();
    match calendar.session(*exchange, today) {
        Ok(Some(_)) => today,
        _ => calendar.next_trading_day(*exchange, today).unwrap_or(today),
    }
}

/// Lets the keeper notice that a contest is over, and make its probe.
pub(super) async fn tend_session(connection: Arc<Connection>) {
    let Connection { keeper, clock, .. } = &*connection;
    loop {
        keeper.tend();
        clock.sleep_until(clock.now().plus_seconds(TEND_SECONDS)).await;
    }
}

/// Asks for a report now and then while a session is young.
///
/// A contest is told by sessions that die young, and a death is seen only by a call. When nothing is to be
/// traded calls are minutes apart, and a session that died after seconds would seem to have lived long.
pub(super) async fn watch_young(connection: Arc<Connection>) {
    let Connection { keeper, clock, broker, .. } = &*connection;
    let young = young_nanos();
    let mut asked = clock.now();
    loop {
        let now = clock.now();
        let age = keeper.current().map(|session| now.nanos_since(session.opened)).filter(|age| *age <= young);
        // Once more in its last moments, so that what died before them is not taken for having outlived them.
        let last_look = age.is_some_and(|age| age > young - (TEND_SECONDS + 1) * model::time::SECOND);
        let wait = if last_look { TEND_SECONDS - 1 } else { YOUNG_SECONDS };
        if age.is_some() && now.nanos_since(asked) >= wait * model::time::SECOND {
            asked = now;
            if let Err(error) = broker.orders().await {
                tracing::debug!(%error, "the young session was asked for a report");
            }
        }
        clock.sleep_until(clock.now().plus_seconds(TEND_SECONDS)).await;
    }
}

/// Looks for other programs every few minutes.
pub(super) async fn patrol(connection: Arc<Connection>) {
    let Some(lookout) = &connection.lookout else { return };
    loop {
        connection.clock.sleep_until(connection.clock.now().plus_seconds(PATROL_SECONDS)).await;
        lookout.patrol().await;
    }
}

/// How long a session is young, in nanoseconds.
fn young_nanos() -> i64 {
    i64::try_from(KeeperConfig::default().contest_window.as_nanos()).unwrap_or(i64::MAX)
}

/// Follows the order feed of whatever session there is. What a frame says goes to the desk at once; the
/// books are read soon after, because a frame is not evidence of trades.
pub(super) async fn feed(connection: Arc<Connection>, desk: Desk) {
    let news = Arc::new(Notify::new());
    let reading = tokio::spawn(read_after_news(Arc::clone(&connection), desk.clone(), Arc::clone(&news)));
    let _reading = AbortOnDrop(reading);
    let clock = &connection.clock;
    let (mut followed, mut wait) = (None, FEED_SECONDS);
    loop {
        let session = present(&connection);
        let transport = session.map(|_| (connection.transport)());
        wait = if session == followed { (wait * 2).min(FEED_SECONDS_MAX) } else { FEED_SECONDS };
        followed = session;
        match transport {
            None => {}
            Some(Ok(transport)) => {
                let sink = |told: FeedNews| hear(&desk, &news, told);
                if let Some(why) = kotak_neo_broker::follow(&connection.broker, transport, &sink).await {
                    tracing::info!(target: "feed", why, "the order feed has ended; the books are read instead");
                }
            }
            Some(Err(why)) => tracing::warn!(target: "feed", why, "there is no order feed"),
        }
        wait_unless_renewed(&connection, followed, clock.now().plus_seconds(wait)).await;
    }
}

fn present(connection: &Connection) -> Option<Generation> {
    connection.keeper.current().map(|session| session.generation)
}

/// Waits until `again`; a session other than `followed` does not wait for the old one's turn.
async fn wait_unless_renewed(connection: &Connection, followed: Option<Generation>, again: Timestamp) {
    let clock = &connection.clock;
    while clock.now() < again && present(connection) == followed {
        clock.sleep_until(again.min(clock.now().plus_seconds(FEED_SECONDS))).await;
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn hear(desk: &Desk, news: &Notify, told: FeedNews) {
    match told {
        FeedNews::Connected => {
            tracing::info!(target: "feed", "the order feed is connected");
            news.notify_one();
        }
        FeedNews::Order(row) => {
            if let Some(row) = row {
                desk.hear(&[*row]);
            }
            news.notify_one();
        }
        FeedNews::Changed => news.notify_one(),
        FeedNews::Lost(why) => {
            tracing::warn!(target: "feed", why, "the order feed is not connected; the books are read instead");
        }
    }
}

async fn read_after_news(connection: Arc<Connection>, desk: Desk, news: Arc<Notify>) {
    let clock = &connection.clock;
    loop {
        news.notified().await;
        clock.sleep_until(clock.now().plus_nanos(GATHER_MILLIS * 1_000_000)).await;
        if let Err(error) = desk.refresh().await {
            tracing::warn!(%error, "the books could not be read after news of the feed");
            clock.sleep_until(clock.now().plus_seconds(FEED_SECONDS)).await;
            news.notify_one();
        }
    }
}

/// Keeps the quotes fresh of what is held, of what has open orders, and of what strategies asked for.
pub(super) async fn quotes(connection: Arc<Connection>, desk: Desk) {
    let (clock, market) = (&connection.clock, &connection.market);
    loop {
        let now = clock.now();
        let today = now.ist_date();
        let held = desk.positions(today).into_iter().map(|view| view.position.symbol);
        let open = desk.account_orders(today).into_iter().filter(|order| !order.status.is_final());
        market.watch(held.chain(open.map(|order| order.terms.symbol)));
        let due = market.due(now);
        // Without a session nothing is asked for: a poller is no reason to log in.
        if !due.is_empty()
            && connection.keeper.current().is_some()
            && let Err(error) = market.refresh(&due).await
        {
            tracing::warn!(%error, symbols = due.len(), "quotes could not be had");
        }
        clock.sleep_until(clock.now().plus_seconds(QUOTES_SECONDS)).await;
    }
}
