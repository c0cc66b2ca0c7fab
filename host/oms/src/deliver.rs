//! From commit to answer, and once more when a dead session proved that nothing happened.
//!
//! An order refused because its session had expired was provably not placed. It passes the whole desk
//! again under the new session: its turn, the switch, `send-by`, price and limits, a second attempt on the
//! disk. Any other failed answer is final here: nothing else is ever sent twice.

use std::sync::Arc;

use broker::{Ack, CallKind, SendError};
use journal::{Durability, Entry};
use model::risk::{check_modify, check_place};
use model::{
    BoxFuture, Evidence, Fact, IntentId, ModifyRequest, OrderError, OrderId, PlaceRequest, Placed, Source,
    Status, Timestamp,
};

use crate::commit::standing;
use crate::desk::Inner;
use crate::eyes::Eyes;
use crate::open_calls::CallNumber;
use crate::permit::Call;
use crate::place::too_late;
use crate::wire;

/// Attempts of one intent, the first included.
const ATTEMPTS_MAX: u32 = 2;

/// What goes out, and what it has to pass again.
pub(crate) struct Outgoing {
    pub(crate) order: OrderId,
    pub(crate) intent: IntentId,
    pub(crate) what: What,
    /// Its place among the open calls, where calls wait.
    pub(crate) call: Option<CallNumber>,
}

/// The kind of call, with what the second look needs.
#[derive(Clone)]
pub(crate) enum What {
    Place { send_by: Option<Timestamp> },
    Modify(ModifyRequest),
    Cancel,
}

/// How a delivery ended.
pub(crate) enum Delivered {
    /// With this answer to the last attempt.
    Answer(Result<Ack, SendError>),
    /// Provably without effect, and it may not go out again: written down.
    Withdrawn(OrderError),
    /// The broker's books have told of it meanwhile: this is how it stands.
    Stands(Placed),
}

impl What {
    const fn kind(&self) -> CallKind {
        match self {
            Self::Place { .. } => CallKind::Place,
            Self::Modify(_) => CallKind::Modify,
            Self::Cancel => CallKind::Cancel,
        }
    }

    const fn send_by(&self) -> Option<Timestamp> {
        match self {
            Self::Place { send_by } => *send_by,
            Self::Modify(_) | Self::Cancel => None,
        }
    }
}

/// Which lane of the desk's limiter a call takes.
pub(crate) const fn lane(kind: CallKind) -> Call {
    match kind {
        CallKind::Place | CallKind::Modify => Call::Order,
        CallKind::Cancel => Call::Cancel,
    }
}

impl Inner {
    /// Sends what was committed as attempt 1, and again while the broker proves that an expired session
    /// kept it from doing anything.
    pub(crate) async fn deliver<'a>(
        self: &'a Arc<Self>,
        outgoing: Outgoing,
        send: impl Fn() -> BoxFuture<'a, Result<Ack, SendError>>,
    ) -> Result<Delivered, OrderError> {
        let outgoing = Arc::new(outgoing);
        let mut number = 1;
        loop {
            let answer = wire::guarded(&send).await;
            let Err(SendError::Expired(why)) = &answer else { return Ok(Delivered::Answer(answer)) };
            if number == ATTEMPTS_MAX || self.is_inline() {
                return Ok(Delivered::Answer(answer));
            }
            number += 1;
            let (this, why) = (Arc::clone(&outgoing), why.clone());
            self.step(move |desk| desk.record_unsent(&this, why)).await?;
            let what = &outgoing.what;
            if let Err(denied) = self.permit(what.kind(), what.send_by()).await {
                let this = Arc::clone(&outgoing);
                return self.step(move |desk| desk.withdraw(&this, denied)).await.map(Delivered::Withdrawn);
            }
            let this = Arc::clone(&outgoing);
            match self.step(move |desk| desk.commit_again(&this, number)).await? {
                Ok(None) => {}
                Ok(Some(placed)) => return Ok(Delivered::Stands(placed)),
                Err(denied) => return Ok(Delivered::Withdrawn(denied)),
            }
        }
    }

    /// The attempt did nothing; the call still counts as out, so that nobody else settles it meanwhile.
    fn record_unsent(&self, outgoing: &Outgoing, why: String) {
        self.learn_about(outgoing, Fact::Unsent { why }, Durability::Relaxed);
    }

    /// It will not go out again.
    fn withdraw(&self, outgoing: &Outgoing, denied: OrderError) -> OrderError {
        self.book().answered(outgoing.order);
        let why = format!("its session had expired before it did anything, and then: {denied}");
        self.learn_about(outgoing, Fact::NotPlaced { why }, Durability::Relaxed);
        self.say_if_idle();
        denied
    }

    fn learn_about(&self, outgoing: &Outgoing, fact: Fact, durability: Durability) {
        let mut journal = self.journal();
        let mut book = self.book();
        let mut entries = Vec::with_capacity(1);
        let at = self.clock.now();
        let &Outgoing { order, intent, .. } = outgoing;
        book.learn(Evidence { order, intent, at, source: Source::Answer, fact }, true, &mut entries);
        drop(book);
        if let Err(error) = journal.commit(&entries, durability) {
            self.halt(&error);
        }
    }

    /// The second check and the next attempt, under one lock. `None`: it goes to the wire.
    fn commit_again(&self, outgoing: &Outgoing, number: u32) -> Result<Option<Placed>, OrderError> {
        let mut journal = self.journal();
        let checked = self.check_again(outgoing);
        match checked {
            Ok(None) => {}
            Ok(Some(placed)) => {
                self.book().answered(outgoing.order);
                drop(journal);
                self.say_if_idle();
                return Ok(Some(placed));
            }
            Err(denied) => {
                drop(journal);
                return Err(self.withdraw(outgoing, denied));
            }
        }
        let attempt = Entry::Attempt { intent: outgoing.intent, number, at: self.clock.now() };
        match journal.commit(&[attempt], Durability::Synced) {
            Ok(()) => Ok(None),
            Err(error) => {
                self.book().answered(outgoing.order);
                Err(self.halt(&error))
            }
        }
    }

    fn check_again(&self, outgoing: &Outgoing) -> Result<Option<Placed>, OrderError> {
        let mut guard = self.book();
        let book = &mut *guard;
        Self::is_open(book)?;
        book.open_calls.may_go(outgoing.call)?;
        let Some(order) = book.live.get(&outgoing.order).map(|slot| slot.order.clone()) else {
            // Settled while it waited: the books have told its end.
            return Ok(book.order(outgoing.order).map(standing));
        };
        match &outgoing.what {
            What::Place { send_by } => {
                if order.status() != Status::PendingNew || order.broker_id.is_some() {
                    return Ok(Some(standing(&order)));
                }
                let now = self.clock.now();
                if send_by.is_some_and(|send_by| now > send_by) {
                    return Err(too_late());
                }
                let session = self.session(order.asked.amo, now)?;
                if session != order.for_session {
                    return Err(OrderError::NotNow {
                        phase: "closed".to_owned(),
                        reason: format!(
                            "it was meant for {}, and would trade on {session} now",
                            order.for_session
                        ),
                    });
                }
                let request = PlaceRequest {
                    key: order.key.clone(),
                    terms: order.asked.clone(),
                    send_by: *send_by,
                    reason: order.reason.clone(),
                };
                // It is in the book already, and must not count against itself.
                book.without(order.id, |book| {
                    let eyes = Eyes { book, view: self.view.as_ref(), day: order.day };
                    check_place(&eyes, &self.config.limits, &order.strategy, request).map(|_| None)
                })
                .map_err(OrderError::from)
            }
            What::Modify(request) => {
                if order.replacing().is_none_or(|change| change.intent != outgoing.intent) {
                    return Ok(Some(standing(&order)));
                }
                let mut before = order.clone();
                // As it stood before the change that is looked at.
                let _ = before.apply(&Evidence {
                    order: order.id,
                    intent: outgoing.intent,
                    at: self.clock.now(),
                    source: Source::Answer,
                    fact: Fact::NotPlaced { why: String::new() },
                });
                let eyes = Eyes { book, view: self.view.as_ref(), day: order.day };
                check_modify(&eyes, &self.config.limits, &order.strategy, &before, request.clone())?;
                Ok(None)
            }
            What::Cancel => {
                let waits = order.cancelling().is_some_and(|change| change.intent == outgoing.intent);
                Ok((!waits).then(|| standing(&order)))
            }
        }
    }
}
