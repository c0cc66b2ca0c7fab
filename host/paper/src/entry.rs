//! Orders come in: place, modify, cancel.
//!
//! A tag is stored and echoed, never compared: an order that is sent twice stands in the book twice, so
//! that a double can be seen.

use broker::{Ack, CancelCall, ModifyCall, PlaceCall, SendError};
use calendar::Phase;
use model::{Date, Instrument, Money, OrderTerms, Price, Quantity, Status, Timestamp};

use crate::check;
use crate::exchange::Exchange;
use crate::matching::SymbolBook;
use crate::order::PaperOrder;
use crate::refusal::Refusal;

impl Exchange {
    /// Takes a new order at the present instant, or refuses it.
    pub fn place(&mut self, call: PlaceCall) -> Result<Ack, SendError> {
        Ok(self.try_place(call)?)
    }

    fn try_place(&mut self, call: PlaceCall) -> Result<Ack, Refusal> {
        let terms = call.terms;
        let now = self.present()?;
        let (session, instrument, banded) = self.where_to(&terms, now)?;
        check::terms(&terms, &instrument, banded)?;
        self.check_room()?;
        self.check_shares(&terms, terms.quantity, &instrument, session, None)?;
        let basis = check::market_basis(&terms, &instrument);
        let block = self.needs(terms.side, terms.product, terms.value(basis), session)?;
        self.check_funds(block, Money::ZERO)?;

        let class = instrument.class();
        let symbol = terms.symbol.clone();
        let amo = terms.amo;
        let index = self.book(Some(call.tag.to_string()), terms, session, basis, block, now);
        if amo {
            self.orders[index].status = Status::QueuedAmo;
            self.queued.push(index);
        } else {
            self.live.entry(symbol).or_insert_with(|| SymbolBook::new(class)).orders.push(index);
        }
        Ok(Ack { broker_id: self.orders[index].id.clone() })
    }

    fn present(&self) -> Result<Timestamp, Refusal> {
        self.now.ok_or(Refusal::Price("the exchange has not begun: let time pass first"))
    }

    /// The session the order is for, the instrument it is judged by, and whether that one's band counts.
    fn where_to(&self, terms: &OrderTerms, now: Timestamp) -> Result<(Date, Instrument, bool), Refusal> {
        let unknown = || Refusal::Symbol(terms.symbol.clone());
        if terms.amo {
            let session = self.check_amo(now)?;
            // Whether the share will trade on that day is not known yet: then the last session's facts
            // serve, without its band, and the rest is judged at the open.
            return match self.source.instrument_on(&terms.symbol, session) {
                Some(instrument) => Ok((session, instrument, true)),
                None => {
                    let last = self.source.instrument_on(&terms.symbol, self.book_session);
                    last.map(|instrument| (session, instrument, false)).ok_or_else(unknown)
                }
            };
        }
        let today = now.ist_date();
        match self.source.instrument_on(&terms.symbol, today) {
            Some(instrument) => Ok((self.check_phase("order", instrument.class(), now)?, instrument, true)),
            // A closed market explains more than a missing share.
            None => {
                self.check_phase("order", model::InstrumentClass::WithoutDerivatives, now)?;
                Err(unknown())
            }
        }
    }

    fn check_room(&self) -> Result<(), Refusal> {
        let open = self.queued.len() + self.live.values().map(|book| book.orders.len()).sum::<usize>();
        if open >= self.config.open_orders_max {
            return Err(Refusal::TooMany("too many open orders: cancel some"));
        }
        if self.orders.len() >= self.config.orders_max {
            return Err(Refusal::TooMany("the book of this paper exchange is full: start a new one"));
        }
        Ok(())
    }

    fn check_funds(&self, needed: Money, held: Money) -> Result<(), Refusal> {
        let available = self.cash.available() + held;
        if needed > available && needed.is_positive() {
            return Err(Refusal::Funds { needed, available });
        }
        Ok(())
    }

    /// Writes a checked order into the book and blocks its cash.
    pub(crate) fn book(
        &mut self,
        tag: Option<String>,
        terms: OrderTerms,
        session: Date,
        basis: Price,
        blocked: Money,
        at: Timestamp,
    ) -> usize {
        let id = self.numbering.order(at.ist_date());
        let priority = self.next_priority;
        self.next_priority += 1;
        let index = self.orders.len();
        self.by_id.insert(id.clone(), index);
        self.cash.blocked += blocked;
        let mut order = PaperOrder {
            id,
            tag,
            triggered: terms.trigger.is_none(),
            terms,
            status: Status::New,
            filled: Quantity::ZERO,
            value: Money::ZERO,
            at,
            session,
            reason: String::new(),
            priority,
            resting: false,
            basis,
            blocked,
        };
        order.status = order.working_status();
        self.orders.push(order);
        index
    }

    /// Changes limit and total quantity of an open order. It keeps its rank only when the price stays and
    /// the quantity does not grow.
    pub fn modify(&mut self, call: &ModifyCall) -> Result<Ack, SendError> {
        let index = self.open_order(&call.broker_id)?;
        self.try_modify(index, call)?;
        Ok(Ack { broker_id: call.broker_id.clone() })
    }

    fn try_modify(&mut self, index: usize, call: &ModifyCall) -> Result<(), Refusal> {
        let now = self.present()?;
        let order = &self.orders[index];
        let mut terms = order.terms.clone();
        (terms.price, terms.quantity) = (call.price, call.total_quantity);
        let queued = order.status == Status::QueuedAmo;
        let (session, instrument, banded) = if queued {
            self.where_to(&terms, now)?
        } else {
            // Working already: it is no after-market order any more, whatever it came as.
            self.where_to(&OrderTerms { amo: false, ..terms.clone() }, now)?
        };
        check::terms(&terms, &instrument, banded)?;
        let order = &self.orders[index];
        if terms.quantity <= order.filled {
            return Err(Refusal::Quantity(
                terms.quantity,
                "so many are filled already: cancel the rest instead",
            ));
        }
        let left = terms.quantity.saturating_sub(order.filled);
        self.check_shares(&terms, left, &instrument, session, Some(index))?;
        let basis = order.limit().map_or(order.basis, |_| terms.price);
        let block = self.needs(terms.side, terms.product, basis * left, session)?;
        self.check_funds(block, order.blocked)?;

        let rank = self.next_priority;
        let order = &mut self.orders[index];
        if terms.price != order.terms.price || terms.quantity > order.terms.quantity {
            order.priority = rank;
            order.resting = false;
            self.next_priority += 1;
        }
        self.cash.blocked += block - order.blocked;
        order.blocked = block;
        order.terms = terms;
        Ok(())
    }

    /// Ends an open order. Whether it was queued is known here; the flag of the call is not needed.
    pub fn cancel(&mut self, call: &CancelCall) -> Result<Ack, SendError> {
        let index = self.open_order(&call.broker_id)?;
        self.try_cancel(index)?;
        Ok(Ack { broker_id: call.broker_id.clone() })
    }

    fn try_cancel(&mut self, index: usize) -> Result<(), Refusal> {
        let now = self.present()?;
        if self.orders[index].status == Status::QueuedAmo {
            self.check_amo(now)?;
        } else if let Some(book) = self.live.get(self.orders[index].symbol()) {
            self.check_cancel_phase(book.class, now)?;
        }
        self.end_order(index, Status::Canceled, "cancelled on request");
        let symbol = self.orders[index].symbol().clone();
        self.queued.retain(|other| *other != index);
        if let Some(book) = self.live.get_mut(&symbol) {
            book.orders.retain(|other| *other != index);
            if book.orders.is_empty() {
                self.live.remove(&symbol);
            }
        }
        Ok(())
    }

    /// Cancelling is possible while the class trades, and while the closing auction takes entries.
    fn check_cancel_phase(&self, class: model::InstrumentClass, now: Timestamp) -> Result<(), Refusal> {
        let phase = self.trading_session().map_or(Phase::Closed, |session| session.phase_at(class, now));
        match phase {
            Phase::Continuous | Phase::ClosingAuctionEntry | Phase::ClosingAuctionLimitOnly => Ok(()),
            _ => self.check_phase("cancellation", class, now).map(|_| ()),
        }
    }

    /// The order by its number, if something can still happen to it.
    fn open_order(&self, id: &model::BrokerOrderId) -> Result<usize, SendError> {
        let Some(&index) = self.by_id.get(id) else {
            return Err(Refusal::NoOrder(id.to_string()).into());
        };
        let order = &self.orders[index];
        if order.is_open() {
            return Ok(index);
        }
        let (status, reason) = (&order.status, &order.reason);
        Err(SendError::AlreadyComplete(format!("order {id} is {status} {reason}").trim_end().to_owned()))
    }
}
