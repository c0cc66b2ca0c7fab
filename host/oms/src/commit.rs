//! The second check and the commit, as one step under one lock: what is decided here is on the disk
//! before anything else is.

use broker::{CancelCall, ModifyCall, PlaceCall};
use journal::{Durability, Entry, JournalError};
use model::risk::{Checked, check_modify, check_place};
use model::{
    Action, Date, Intent, IntentId, ModifyRequest, OrderError, OrderId, OrderState, Origin, PlaceRequest,
    Placed, Timestamp,
};

use crate::book::{Book, Change};
use crate::desk::Inner;
use crate::eyes::Eyes;
use crate::open_calls::CallNumber;
use crate::place::too_late;

/// How a commit step ended.
pub(crate) enum Committed<C> {
    /// Written down: this goes to the wire.
    Send(C),
    /// It was done before: this is how the order stands.
    Same(Placed),
}

/// How an order stands, for its strategy.
pub(crate) fn standing(order: &OrderState) -> Placed {
    Placed { id: order.id, status: order.status(), filled: order.filled(), average: order.average() }
}

fn key_reused(key: &str) -> OrderError {
    OrderError::Denied {
        rule: "key-reused",
        reason: format!("key `{key}` was used today for something else: take a new key"),
    }
}

impl Inner {
    /// Same key and content: how it stands. Same key, other content: denied.
    pub(crate) fn same_place(
        book: &Book,
        id: IntentId,
        request: &PlaceRequest,
    ) -> Result<Option<Placed>, OrderError> {
        match book.order(id) {
            Some(order) if order.asked == request.terms => Ok(Some(standing(order))),
            Some(_) => Err(key_reused(&request.key)),
            None if book.changes.contains_key(&id) => Err(key_reused(&request.key)),
            None => Ok(None),
        }
    }

    pub(crate) fn session(&self, amo: bool, now: Timestamp) -> Result<Date, OrderError> {
        self.view.session_for(amo, now).map_err(|(phase, reason)| OrderError::NotNow { phase, reason })
    }

    pub(crate) fn commit_place(
        &self,
        id: IntentId,
        origin: Origin,
        request: PlaceRequest,
        call: Option<CallNumber>,
    ) -> Result<Committed<PlaceCall>, OrderError> {
        let mut journal = self.journal();
        let mut book = self.book();
        let now = self.clock.now();
        if let Some(placed) = Self::same_place(&book, id, &request)? {
            return Ok(Committed::Same(placed));
        }
        self.own_account(&origin)?;
        Self::is_open(&book)?;
        book.open_calls.may_go(call)?;
        if request.send_by.is_some_and(|send_by| now > send_by) {
            return Err(too_late());
        }
        let for_session = self.session(request.terms.amo, now)?;
        let eyes = Eyes { book: &book, view: self.view.as_ref(), day: origin.day };
        let checked = check_place(&eyes, &self.config.limits, &origin.strategy, request)?;
        let (intent, call) = place_intent(id, origin, checked, for_session, now);
        let Some(order) = OrderState::new(&intent) else {
            return Err(OrderError::Desk("a place intent makes an order".to_owned()));
        };
        book.insert(order);
        book.sent(id);
        drop(book);
        let entries = [Entry::Intent(intent), Entry::Attempt { intent: id, number: 1, at: now }];
        match journal.commit(&entries, Durability::Synced) {
            Ok(()) => Ok(Committed::Send(call)),
            Err(error) => {
                let mut book = self.book();
                book.answered(id);
                book.remove(id);
                drop(book);
                Err(self.not_written(&error))
            }
        }
    }

    pub(crate) fn commit_modify(
        &self,
        id: IntentId,
        origin: Origin,
        request: ModifyRequest,
        call: Option<CallNumber>,
    ) -> Result<Committed<ModifyCall>, OrderError> {
        let mut journal = self.journal();
        let mut guard = self.book();
        let book = &mut *guard;
        let now = self.clock.now();
        if let Some(placed) = Self::same_modify(book, id, &request)? {
            return Ok(Committed::Same(placed));
        }
        self.own_account(&origin)?;
        Self::is_open(book)?;
        book.open_calls.may_go(call)?;
        let order = book.order(request.order).ok_or_else(|| no_order(request.order))?.clone();
        let eyes = Eyes { book, view: self.view.as_ref(), day: origin.day };
        let checked = check_modify(&eyes, &self.config.limits, &origin.strategy, &order, request)?;
        let request = checked.get();
        let Some(broker_id) = order.broker_id.clone() else { return Err(no_order(order.id)) };
        let call = ModifyCall {
            broker_id,
            price: request.price,
            total_quantity: request.total_quantity,
            terms: order.terms.clone(),
        };
        let to = Some((request.price, request.total_quantity));
        let action =
            Action::Modify { order: order.id, price: request.price, total_quantity: request.total_quantity };
        let intent = change_intent(id, origin, checked.into_inner().key, String::new(), action, now);
        self.begin_change(book, &order, &intent, to);
        drop(guard);
        self.write_change(journal.as_mut(), intent, order, now)?;
        Ok(Committed::Send(call))
    }

    pub(crate) fn commit_cancel(
        &self,
        origin: Origin,
        order: OrderId,
        any_stale: bool,
        reason: String,
        call: Option<CallNumber>,
    ) -> Result<Committed<(IntentId, CancelCall)>, OrderError> {
        let mut journal = self.journal();
        let mut guard = self.book();
        let book = &mut *guard;
        let now = self.clock.now();
        self.own_account(&origin)?;
        Self::is_open(book)?;
        book.open_calls.may_go(call)?;
        let order = book.order(order).ok_or_else(|| no_order(order))?.clone();
        self.may_cancel(&order, &origin, any_stale, now)?;
        // Ended, or on its way to it: that is an answer.
        if order.is_final() || order.cancelling().is_some_and(|change| !change.unclear) {
            return Ok(Committed::Same(standing(&order)));
        }
        let Some(broker_id) = order.broker_id.clone().filter(|_| order.is_working()) else {
            return Err(OrderError::Unknown(order.id));
        };
        let key = format!("\u{1}cancel {} {}", order.id, order.cancels());
        let id = IntentId::derive(&self.config.account, &origin.strategy, origin.day, &key);
        let queued = order.terms.amo && self.view.session_for(false, now) != Ok(order.for_session);
        let call = CancelCall {
            broker_id,
            amo: queued && now.ist_date() <= order.for_session,
            symbol: Some(order.terms.symbol.clone()),
        };
        let intent = change_intent(id, origin, key, reason, Action::Cancel { order: order.id }, now);
        self.begin_change(book, &order, &intent, None);
        drop(guard);
        self.write_change(journal.as_mut(), intent, order, now)?;
        Ok(Committed::Send((id, call)))
    }

    /// Own orders; with `any_stale` also another's, once its session is over.
    fn may_cancel(
        &self,
        order: &OrderState,
        origin: &Origin,
        any_stale: bool,
        now: Timestamp,
    ) -> Result<(), OrderError> {
        if order.strategy == origin.strategy {
            return Ok(());
        }
        // Over, when an order sent now would trade in a later session.
        let next = self.view.session_for(false, now).or_else(|_| self.view.session_for(true, now));
        let over = order.for_session < origin.day || next.is_ok_and(|next| next > order.for_session);
        if any_stale && over {
            return Ok(());
        }
        Err(OrderError::Denied {
            rule: "not-own-order",
            reason: format!("order {} belongs to {} and its session is not over", order.id, order.strategy),
        })
    }

    /// Same key and content: how the order stands. Same key, other content: denied.
    pub(crate) fn same_modify(
        book: &Book,
        id: IntentId,
        request: &ModifyRequest,
    ) -> Result<Option<Placed>, OrderError> {
        let to = Some((request.price, request.total_quantity));
        match book.changes.get(&id) {
            Some(change) if change.order == request.order && change.to == to => {
                Ok(book.order(request.order).map(standing))
            }
            Some(_) => Err(key_reused(&request.key)),
            None if book.order(id).is_some() => Err(key_reused(&request.key)),
            None => Ok(None),
        }
    }

    fn begin_change(
        &self,
        book: &mut Book,
        order: &OrderState,
        intent: &Intent,
        to: Option<(model::Price, model::Quantity)>,
    ) {
        if let Some(slot) = book.live.get_mut(&order.id) {
            slot.order.begin(intent);
        }
        book.changes.insert(intent.id, Change { order: order.id, day: intent.day, to });
        book.sent(order.id);
    }

    /// Writes a change's intent; on failure `before` stands again.
    fn write_change(
        &self,
        journal: &mut dyn journal::Journal,
        intent: Intent,
        before: OrderState,
        now: Timestamp,
    ) -> Result<(), OrderError> {
        let id = intent.id;
        let entries = [Entry::Intent(intent), Entry::Attempt { intent: id, number: 1, at: now }];
        journal.commit(&entries, Durability::Synced).map_err(|error| {
            let mut book = self.book();
            book.changes.remove(&id);
            book.answered(before.id);
            if let Some(slot) = book.live.get_mut(&before.id) {
                slot.order = before;
            }
            drop(book);
            self.not_written(&error)
        })
    }

    fn own_account(&self, origin: &Origin) -> Result<(), OrderError> {
        if origin.account == self.config.account {
            return Ok(());
        }
        Err(OrderError::Denied {
            rule: "wrong-account",
            reason: format!("this desk trades {}, not {}", self.config.account, origin.account),
        })
    }

    /// An intent that is there already was used before this desk's memory: nothing is wrong with the
    /// journal. Everything else stops trading.
    fn not_written(&self, error: &JournalError) -> OrderError {
        match error {
            JournalError::Duplicate(_) => {
                OrderError::Denied { rule: "key-reused", reason: error.to_string() }
            }
            _ => self.halt(error),
        }
    }
}

pub(crate) fn no_order(id: OrderId) -> OrderError {
    OrderError::Denied { rule: "no-such-order", reason: format!("there is no order {id} to change") }
}

/// Only what was checked becomes an intent and a call.
fn place_intent(
    id: IntentId,
    origin: Origin,
    checked: Checked<PlaceRequest>,
    for_session: Date,
    at: Timestamp,
) -> (Intent, PlaceCall) {
    let PlaceRequest { key, terms, send_by, reason } = checked.into_inner();
    let call = PlaceCall { tag: id, terms: terms.clone() };
    let intent = Intent {
        id,
        account: origin.account,
        strategy: origin.strategy,
        component: origin.component,
        run: origin.run,
        day: origin.day,
        key,
        at,
        send_by,
        reason,
        action: Action::Place { terms, for_session },
    };
    (intent, call)
}

fn change_intent(
    id: IntentId,
    origin: Origin,
    key: String,
    reason: String,
    action: Action,
    at: Timestamp,
) -> Intent {
    Intent {
        id,
        account: origin.account,
        strategy: origin.strategy,
        component: origin.component,
        run: origin.run,
        day: origin.day,
        key,
        at,
        send_by: None,
        reason,
        action,
    }
}
