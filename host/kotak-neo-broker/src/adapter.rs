//! The Broker port over a Kotak Neo account.
//!
//! An order call goes out once, on the session of the moment, and its answer is judged by
//! [`crate::refusal`]. A report that fails because the session expired is repeated once under the next
//! session: reading twice does no harm.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use broker::session::{Generation, Keeper, Session};
use broker::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CallKind, CancelCall, ModifyCall, NetPosition,
    NotReady, PlaceCall, SendError,
};
use kotak_neo::client::{Client, PositionsPath};
use kotak_neo::{Error, OrderNumber};
use model::clock::SharedClock;
use model::{BoxFuture, BrokerOrderId, Funds, Holding, Symbol};

use crate::convert::{self, Reader, TradingDays};
use crate::directory::Directory;
use crate::limits::{Busy, Limits, Turn};
use crate::login::KotakLogin;
use crate::order;
use crate::refusal::{self, Meaning};

/// A Kotak Neo account behind the Broker port. Clones share it.
#[derive(Clone)]
pub struct KotakBroker {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) keeper: Arc<Keeper<KotakLogin>>,
    pub(crate) limits: Limits,
    pub(crate) clock: SharedClock,
    pub(crate) directory: ArcSwap<Directory>,
    days: Arc<dyn TradingDays>,
    positions: PositionsPath,
    /// The last generation that an order call saw expired: the next call waits for a later one.
    expired: AtomicU64,
}

/// A session of this account.
pub(crate) type KotakSession = Session<Client>;

impl KotakBroker {
    /// Over `keeper`'s sessions. Orders are refused until a directory is set ([`Self::set_directory`]).
    pub fn new(
        keeper: Arc<Keeper<KotakLogin>>,
        limits: Limits,
        clock: SharedClock,
        days: Arc<dyn TradingDays>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                keeper,
                limits,
                clock,
                directory: ArcSwap::default(),
                days,
                positions: PositionsPath::Quick,
                expired: AtomicU64::new(0),
            }),
        }
    }

    /// The sessions.
    pub fn keeper(&self) -> &Arc<Keeper<KotakLogin>> {
        &self.inner.keeper
    }

    /// The shares that can be ordered.
    pub fn directory(&self) -> Arc<Directory> {
        self.inner.directory.load_full()
    }

    /// Takes over the shares of a day.
    pub fn set_directory(&self, directory: Directory) {
        self.inner.directory.store(Arc::new(directory));
    }
}

/// Why a report or data call gave nothing.
pub(crate) enum ReadFailure {
    /// No session, and why.
    NoSession(String),
    /// Held back here.
    Busy(Busy),
    /// The call failed.
    Call(Error),
}

impl From<ReadFailure> for CallError {
    fn from(failure: ReadFailure) -> Self {
        match failure {
            ReadFailure::NoSession(why) => Self::SessionExpired(why),
            ReadFailure::Busy(busy) => Self::Unavailable(busy.to_string()),
            ReadFailure::Call(error) if is_dead_session(&error) => Self::SessionExpired(error.to_string()),
            ReadFailure::Call(error) => Self::Unavailable(error.to_string()),
        }
    }
}

/// Whether a report or data call met a dead session. Reports are answered to every address (facts 5), so a
/// refused address there means a dead session; and a report can be asked again, so that HTTP 401 or 403 is
/// enough whatever the body is.
pub(crate) fn is_dead_session(error: &Error) -> bool {
    error.is_session_expired()
        || error.is_ip_refusal()
        || matches!(error, Error::Unreadable { http: 401 | 403, .. })
}

impl Inner {
    /// A session that no call has seen expired; logs in when there is none.
    pub(crate) async fn session(&self) -> Result<Arc<KotakSession>, String> {
        let seen = self.expired.load(Ordering::SeqCst);
        match self.keeper.current() {
            Some(session) if session.generation.get() > seen => Ok(session),
            Some(session) => self.renew(session.generation).await,
            None => self.renew(Generation::NONE).await,
        }
    }

    async fn renew(&self, seen: Generation) -> Result<Arc<KotakSession>, String> {
        self.keeper.renew(seen).await.map_err(|no_session| no_session.to_string())
    }

    /// One report or data call, repeated once when its session had expired. Nothing is waited for between
    /// taking the session and sending, so that no call goes out on a session that is known to be over.
    pub(crate) async fn read<T, F>(
        &self,
        turn: Turn,
        call: impl Fn(Arc<KotakSession>) -> F,
    ) -> Result<T, ReadFailure>
    where
        F: Future<Output = Result<T, Error>>,
    {
        self.limits.turn(turn).await.map_err(ReadFailure::Busy)?;
        let session = self.session().await.map_err(ReadFailure::NoSession)?;
        let generation = session.generation;
        let outcome = call(session).await;
        self.hear(&outcome);
        match outcome {
            Err(error) if is_dead_session(&error) => {
                self.limits.turn(turn).await.map_err(ReadFailure::Busy)?;
                let session = self.renew(generation).await.map_err(ReadFailure::NoSession)?;
                let outcome = call(session).await;
                self.hear(&outcome);
                outcome.map_err(ReadFailure::Call)
            }
            outcome => outcome.map_err(ReadFailure::Call),
        }
    }

    /// A 429 holds everything back but cancels; an answer says that it is over.
    fn hear<T>(&self, outcome: &Result<T, Error>) {
        match outcome {
            Err(error) if error.is_rate_limited() => self.limits.refused(),
            Ok(_) => self.limits.accepted(),
            Err(_) => {}
        }
    }

    /// One order call on the session of the moment. It has had its turn in [`Broker::ready`].
    async fn send<F>(
        &self,
        kind: CallKind,
        call: impl FnOnce(Arc<KotakSession>) -> F,
    ) -> Result<Ack, SendError>
    where
        F: Future<Output = Result<OrderNumber, Error>>,
    {
        // Without a session nothing is sent: that is proof.
        let Some(session) = self.keeper.current() else {
            return Err(SendError::Expired("there was no session".to_owned()));
        };
        if session.generation.get() <= self.expired.load(Ordering::SeqCst) {
            return Err(SendError::Expired("another call has just seen the session dead".to_owned()));
        }
        let outcome = call(Arc::clone(&session)).await;
        self.hear(&outcome);
        match outcome {
            Ok(number) => Ok(Ack { broker_id: BrokerOrderId::from(number.as_str()) }),
            Err(error) => Err(self.judge(kind, &session, error).await),
        }
    }

    async fn judge(&self, kind: CallKind, session: &KotakSession, error: Error) -> SendError {
        let meaning = match &error {
            Error::NotSent { .. } | Error::Invalid { .. } => Some(Meaning::Refused),
            _ => refusal::meaning(&error, kind),
        };
        match meaning {
            None => SendError::Unclear(error.to_string()),
            Some(Meaning::Complete) => SendError::AlreadyComplete(error.to_string()),
            Some(Meaning::Refused | Meaning::TooMany) => refusal::refusal(&error),
            Some(Meaning::Expired) => self.expire(session, &error),
            Some(Meaning::Address) => self.judge_address(session, &error).await,
        }
    }

    fn expire(&self, session: &KotakSession, error: &Error) -> SendError {
        self.expired.fetch_max(session.generation.get(), Ordering::SeqCst);
        SendError::Expired(error.to_string())
    }

    /// 100008 is said to a foreign address and to a dead session (facts 3.3). The order did nothing either
    /// way; a report tells which it is, and a foreign address is no reason to log in again.
    async fn judge_address(&self, session: &KotakSession, error: &Error) -> SendError {
        let probe = match self.limits.turn(Turn::Report).await {
            Ok(()) => session.client.orders().await.map(drop).map_err(Some),
            Err(_) => Err(None),
        };
        let cause = match probe {
            Err(Some(other)) if is_dead_session(&other) => return self.expire(session, error),
            Ok(()) => {
                "; this machine's address may not trade: register it under Trade API > Static IP in the Neo app, then restart"
            }
            Err(_) => {
                "; whether the session is dead or this machine's address may not trade could not be found out"
            }
        };
        let mut refused = refusal::refusal(error);
        if let SendError::Refused { reason, .. } = &mut refused {
            reason.push_str(cause);
        }
        refused
    }

    /// Rows in the port's words.
    pub(crate) fn reader<'a>(&'a self, directory: &'a Directory) -> Reader<'a> {
        Reader { directory, days: self.days.as_ref(), now: self.clock.now() }
    }

    fn instrument(&self, symbol: &Symbol) -> Result<crate::directory::Listing, SendError> {
        let directory = self.directory.load();
        directory.get(symbol).cloned().ok_or_else(|| {
            order::refused_here(
                "unknown-symbol",
                format!("{symbol} is not in today's scrip master ({} shares)", directory.len()),
            )
        })
    }
}

/// What the wire calls a turn.
const fn turn(kind: CallKind) -> Turn {
    match kind {
        CallKind::Place | CallKind::Modify => Turn::Order,
        CallKind::Cancel => Turn::Cancel,
    }
}

impl Broker for KotakBroker {
    fn ready(&self, kind: CallKind) -> BoxFuture<'_, Result<(), NotReady>> {
        Box::pin(async move {
            let not_ready = |reason: String| NotReady { reason };
            self.inner.session().await.map_err(not_ready)?;
            self.inner.limits.turn(turn(kind)).await.map_err(|busy| not_ready(busy.to_string()))
        })
    }

    fn place(&self, call: PlaceCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move {
            let listing = self.inner.instrument(&call.terms.symbol)?;
            let wire = order::place(&call, &listing)?;
            self.inner
                .send(CallKind::Place, |session| {
                    let wire = &wire;
                    async move { session.client.place(wire).await }
                })
                .await
        })
    }

    fn modify(&self, call: ModifyCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move {
            let listing = self.inner.instrument(&call.terms.symbol)?;
            // Once its session has opened it is an after-market order no more.
            let queued = call.terms.amo && self.inner.days.takes_amo(self.inner.clock.now());
            let wire = order::modify(&call, &listing, queued)?;
            self.inner
                .send(CallKind::Modify, |session| {
                    let wire = &wire;
                    async move { session.client.modify(wire).await }
                })
                .await
        })
    }

    fn cancel(&self, call: CancelCall) -> BoxFuture<'_, Result<Ack, SendError>> {
        Box::pin(async move {
            let directory = self.inner.directory.load_full();
            let listing = call.symbol.as_ref().and_then(|symbol| directory.get(symbol));
            let wire = order::cancel(&call, listing)?;
            self.inner
                .send(CallKind::Cancel, |session| {
                    let wire = &wire;
                    async move { session.client.cancel(wire).await }
                })
                .await
        })
    }

    fn orders(&self) -> BoxFuture<'_, Result<Vec<BrokerOrder>, CallError>> {
        Box::pin(async move {
            let rows =
                self.inner.read(Turn::Report, |session| async move { session.client.orders().await }).await?;
            let directory = self.inner.directory.load();
            let reader = self.inner.reader(&directory);
            Ok(rows.iter().map(|row| reader.order(row)).collect())
        })
    }

    fn trades(&self) -> BoxFuture<'_, Result<Vec<BrokerTrade>, CallError>> {
        Box::pin(async move {
            let rows =
                self.inner.read(Turn::Report, |session| async move { session.client.trades().await }).await?;
            let directory = self.inner.directory.load();
            let reader = self.inner.reader(&directory);
            // One fill that is listed twice is one fill.
            let mut seen = BTreeSet::new();
            let trades = rows.iter().map(|row| reader.trade(row));
            Ok(trades
                .filter(|trade| seen.insert((trade.broker_id.clone(), trade.trade_id.clone())))
                .collect())
        })
    }

    fn positions(&self) -> BoxFuture<'_, Result<Vec<NetPosition>, CallError>> {
        Box::pin(async move {
            let path = self.inner.positions;
            let rows = self
                .inner
                .read(Turn::Report, |session| async move { session.client.positions(path).await })
                .await?;
            let directory = self.inner.directory.load();
            let reader = self.inner.reader(&directory);
            rows.iter()
                .map(|row| reader.position(row))
                .collect::<Result<_, _>>()
                .map_err(|why| CallError::Unavailable(format!("the positions make no sense: {why}")))
        })
    }

    fn holdings(&self) -> BoxFuture<'_, Result<Vec<Holding>, CallError>> {
        Box::pin(async move {
            let rows = self
                .inner
                .read(Turn::Report, |session| async move { session.client.holdings().await })
                .await?;
            let directory = self.inner.directory.load();
            let reader = self.inner.reader(&directory);
            Ok(rows.iter().map(|row| reader.holding(row)).filter(|held| !held.quantity.is_zero()).collect())
        })
    }

    fn funds(&self) -> BoxFuture<'_, Result<Funds, CallError>> {
        Box::pin(async move {
            let limits =
                self.inner.read(Turn::Report, |session| async move { session.client.limits().await }).await?;
            Ok(convert::funds(&limits))
        })
    }
}
