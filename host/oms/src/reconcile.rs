//! The reconciler: reads all of the broker's books, takes them in, settles doubts by proof.
//!
//! A failed read is never evidence. An empty book is evidence of absence only together with trades,
//! positions, holdings and funds read well in the same window, showing no trace, three times over more
//! than the listing lag.

use std::collections::BTreeMap;
use std::sync::Arc;

use broker::{BrokerOrder, BrokerTrade, CallError, NetPosition};
use journal::{Durability, Entry};
use model::{
    Difference, Evidence, Fact, Funds, Holding, LedgerKind, Money, OrderId, OrderState, Price, Quantity,
    ReadError, Side, Source, Status, Symbol, Timestamp,
};

use crate::book::Book;
use crate::desk::{Desk, Inner};
use crate::doubt::{Doubt, Watch};
use crate::external;

/// Everything the broker says, read in one window.
pub(crate) struct Books {
    pub(crate) orders: Vec<BrokerOrder>,
    pub(crate) trades: Vec<BrokerTrade>,
    pub(crate) positions: Vec<NetPosition>,
    pub(crate) holdings: Vec<Holding>,
    pub(crate) funds: Funds,
}

impl Books {
    /// Net shares of `symbol` bought and sold today, as the broker counts them.
    pub(crate) fn net(&self, symbol: &Symbol) -> (Quantity, Quantity) {
        let rows = self.positions.iter().filter(|row| row.symbol == *symbol);
        rows.fold((Quantity::ZERO, Quantity::ZERO), |(bought, sold), row| {
            (bought + row.bought, sold + row.sold)
        })
    }

    /// Shares of `symbol` in the demat account.
    pub(crate) fn held(&self, symbol: &Symbol) -> Quantity {
        self.holdings.iter().filter(|row| row.symbol == *symbol).map(|row| row.quantity).sum()
    }
}

impl Desk {
    /// Reads orders, trades, positions, holdings and funds; takes in what they say; settles what they
    /// prove; answers with what is left different. Run it at start, on a timer, and before the day's
    /// account. An error says that some read failed: what was read well has been taken in.
    pub async fn reconcile(&self) -> Result<Vec<Difference>, ReadError> {
        let desk = Arc::clone(&self.inner);
        let _one = desk.reconciling.lock().await;
        let since = desk.book().revision;
        let began = desk.clock.now();
        let failed = |error: CallError| ReadError::Unavailable(error.to_string());
        let trades = desk.broker.trades().await;
        let orders = desk.broker.orders().await;
        let (orders, trades) = match (orders, trades) {
            (Ok(orders), Ok(trades)) => (orders, trades),
            (orders, trades) => {
                let error = orders.as_ref().err().or(trades.as_ref().err()).cloned();
                let (orders, trades) = (orders.unwrap_or_default(), trades.unwrap_or_default());
                desk.step(move |desk| desk.absorb(&orders, &trades, Some(since), None))
                    .await
                    .map_err(stopped)?;
                return Err(error.map_or_else(|| ReadError::Unavailable("no answer".to_owned()), failed));
            }
        };
        let positions = desk.broker.positions().await;
        let holdings = desk.broker.holdings().await;
        let funds = desk.broker.funds().await;
        match (positions, holdings, funds) {
            (Ok(positions), Ok(holdings), Ok(funds)) => {
                let books = Books { orders, trades, positions, holdings, funds };
                desk.step(move |desk| desk.settle_books(&books, since, began)).await.map_err(stopped)?
            }
            (positions, holdings, funds) => {
                desk.step(move |desk| desk.absorb(&orders, &trades, Some(since), None))
                    .await
                    .map_err(stopped)?;
                let error = positions.err().or(holdings.err()).or(funds.err());
                Err(error.map_or_else(|| ReadError::Unavailable("no answer".to_owned()), failed))
            }
        }
    }
}

fn stopped(error: model::OrderError) -> ReadError {
    ReadError::Unavailable(error.to_string())
}

impl Inner {
    fn settle_books(
        &self,
        books: &Books,
        since: u64,
        began: Timestamp,
    ) -> Result<Vec<Difference>, ReadError> {
        let mut journal = self.journal();
        let mut guard = self.book();
        let book = &mut *guard;
        let mut out = Vec::new();
        for trade in &books.trades {
            self.take_trade(book, trade, None, &mut out);
        }
        for row in &books.orders {
            self.take_row(book, row, Some(since), None, &mut out);
        }
        self.adopt_untagged(book, books, &mut out);
        let ids: Vec<OrderId> = book.live.keys().copied().collect();
        for id in ids {
            self.examine(book, id, books, since, began, &mut out);
        }
        self.book_external_sales(book, books, &mut out);
        book.external = external::rows(book, books);
        let differences = self.differences(book, books, since);
        drop(guard);
        if !out.is_empty()
            && let Err(error) = journal.commit(&out, Durability::Relaxed)
        {
            return Err(stopped(self.halt(&error)));
        }
        Ok(differences)
    }

    /// Looks at one order's doubt, if it has one.
    fn examine(
        &self,
        book: &mut Book,
        id: OrderId,
        books: &Books,
        since: u64,
        began: Timestamp,
        out: &mut Vec<Entry>,
    ) {
        let today = began.ist_date();
        let Some(slot) = book.live.get(&id) else { return };
        let Some(doubt) = Doubt::about(&slot.order, today) else {
            if let Some(slot) = book.live.get_mut(&id) {
                slot.watch = None;
            }
            return;
        };
        // What moved while the books were being read is looked at next time.
        if slot.on_wire > 0 || (slot.touched > since && doubt != Doubt::Unbooked) {
            return;
        }
        let row =
            books.orders.iter().find(|row| book.match_row(&row.broker_id, row.tag.as_deref()) == Some(id));
        let nothing = match doubt {
            Doubt::Place => !self.has_trace(book, &slot.order, books),
            // The trades were read, and what the book shows is not in them.
            Doubt::Unbooked => true,
            // The book shows the order as it was before the change.
            Doubt::Replace | Doubt::Cancel => row.is_some_and(|row| !row.status.is_final()),
            // Still in the book: the book's word stands.
            Doubt::Past if row.is_some() => return,
            Doubt::Past => self.is_accounted_for(book, &slot.order, books, today),
        };
        let lag = self.config.lag_nanos();
        let Some(slot) = book.live.get_mut(&id) else { return };
        let watch = match &mut slot.watch {
            Some(watch) if watch.doubt == doubt => watch,
            other => other.insert(Watch::new(doubt, began)),
        };
        let proven = if nothing {
            watch.saw_nothing(began, lag)
        } else {
            watch.saw_something();
            false
        };
        let hopeless = !proven && watch.is_hopeless(began, lag, self.config.park_after);
        if proven {
            slot.watch = None;
            self.conclude(book, id, doubt, out);
        } else if hopeless {
            slot.watch = None;
            self.park(book, id, doubt, out);
        }
    }

    /// What three clean reads prove.
    fn conclude(&self, book: &mut Book, id: OrderId, doubt: Doubt, out: &mut Vec<Entry>) {
        let Some(order) = book.live.get(&id).map(|slot| slot.order.clone()) else { return };
        let at = self.clock.now();
        let evidence = |intent, fact| Evidence { order: id, intent, at, source: Source::Reconciler, fact };
        let absent = |what: &str| Fact::NotPlaced {
            why: format!(
                "{what} in three complete reads over more than {} s",
                self.config.listing_lag.as_secs()
            ),
        };
        match doubt {
            Doubt::Place => {
                book.learn(evidence(id, absent("no trace of it")), true, out);
            }
            Doubt::Replace | Doubt::Cancel => {
                let intents: Vec<_> = order.open_intents().filter(|intent| *intent != id).collect();
                for intent in intents {
                    book.learn(evidence(intent, absent("the order stands as before")), true, out);
                }
            }
            Doubt::Past => {
                let fact = Fact::Seen {
                    broker_id: order.broker_id.clone().unwrap_or_else(|| "".into()),
                    status: Status::Expired,
                    filled: order.filled(),
                    average: order.average(),
                    price: order.terms.price,
                    quantity: order.terms.quantity,
                    reason: "its session is over, and positions and holdings account for every share"
                        .to_owned(),
                };
                book.learn(evidence(id, fact), true, out);
            }
            Doubt::Unbooked => self.infer_fill(book, &order, "the order book", out),
        }
    }

    /// Books fills that the book shows and no trade row explains.
    pub(crate) fn infer_fill(&self, book: &mut Book, order: &OrderState, from: &str, out: &mut Vec<Entry>) {
        let missing = order.filled().saturating_sub(order.booked());
        if missing.is_zero() {
            return;
        }
        let price = order.unbooked_price();
        let price = if price.is_positive() { price } else { order.terms.price };
        let basis = format!("{from}: {} filled, {} in trades", order.filled(), order.booked());
        let kind = LedgerKind::ReconciledFill { order: order.id, basis };
        let at = self.clock.now();
        let entry = self.ledger_entry(book, order, missing, price, at, order.for_session, kind, out);
        out.push(Entry::Ledger(entry.clone()));
        book.post(entry, out);
    }

    fn park(&self, book: &mut Book, id: OrderId, doubt: Doubt, out: &mut Vec<Entry>) {
        let Some(order) = book.live.get(&id).map(|slot| &slot.order) else { return };
        let intents: Vec<_> = match doubt {
            Doubt::Place | Doubt::Past => vec![id],
            Doubt::Replace | Doubt::Cancel => order.open_intents().filter(|intent| *intent != id).collect(),
            Doubt::Unbooked => Vec::new(),
        };
        let why = format!("{} complete reads did not tell what became of it", self.config.park_after);
        let at = self.clock.now();
        for intent in intents {
            let fact = Fact::Parked { why: why.clone() };
            book.learn(Evidence { order: id, intent, at, source: Source::Reconciler, fact }, true, out);
        }
    }

    /// Whether anything in the books could be the order although it is not listed under its tag.
    fn has_trace(&self, book: &Book, order: &OrderState, books: &Books) -> bool {
        let terms = &order.terms;
        let since = order.placed_at.plus_seconds(-external::SKEW_SECONDS);
        // The broker's clock and ours may differ by more than the alarm: a row of the same size is a trace
        // at any time of the day, because taking our own order for another's would send it twice.
        let is_unclaimed_row = |row: &&BrokerOrder| {
            row.terms.symbol == terms.symbol
                && row.terms.side == terms.side
                && (row.at >= since || row.terms.quantity == order.asked.quantity)
                && book.match_row(&row.broker_id, row.tag.as_deref()).is_none()
        };
        if books.orders.iter().any(|row| is_unclaimed_row(&row)) {
            return true;
        }
        let same = |trade: &&BrokerTrade| trade.symbol == terms.symbol && trade.side == terms.side;
        let is_listed = |trade: &BrokerTrade| books.orders.iter().any(|row| row.broker_id == trade.broker_id);
        let unclaimed_trade = |trade: &BrokerTrade| {
            (trade.at >= since || !is_listed(trade))
                && book.match_row(&trade.broker_id, trade.tag.as_deref()).is_none()
        };
        if books.trades.iter().filter(same).any(unclaimed_trade) {
            return true;
        }
        // More shares moved than the trade book explains.
        let traded: Quantity = books.trades.iter().filter(same).map(|trade| trade.quantity).sum();
        let (bought, sold) = books.net(&terms.symbol);
        let moved = if terms.side == Side::Buy { bought } else { sold };
        if moved > traded {
            return true;
        }
        // Cash is blocked that no listed buy explains. A broker that blocks charges as well may block as much for
        // listed buys of 800 times the value: that cannot be told apart, and such an order is left to the operator.
        let value = order.exposed_value(self.view.last_price(&terms.symbol).unwrap_or_default());
        let listed: Money = books
            .orders
            .iter()
            .filter(|row| row.terms.side == Side::Buy && !row.status.is_final())
            .map(|row| {
                let price = if row.terms.price.is_positive() {
                    row.terms.price
                } else {
                    self.view.last_price(&row.terms.symbol).unwrap_or(Price::ZERO)
                };
                price * row.terms.quantity.saturating_sub(row.filled)
            })
            .sum();
        terms.side == Side::Buy && value.is_positive() && books.funds.blocked >= listed + value
    }

    /// Positions and holdings leave no room for a fill that nobody told of: shares bought in the
    /// order's session would be in the holdings by now, and what is there is what the ledger has.
    fn is_accounted_for(&self, book: &Book, order: &OrderState, books: &Books, today: model::Date) -> bool {
        if self.view.settlement_date(order.for_session) > today {
            return false;
        }
        let symbol = &order.terms.symbol;
        let owned = book.ledger.position(symbol, today).map_or(Quantity::ZERO, |position| position.quantity);
        let (bought, sold) = books.net(symbol);
        let there = books.held(symbol) + bought;
        // Some brokers take today's sales out of the holdings at once, some a day later.
        owned == there || owned == there.saturating_sub(sold)
    }

    fn differences(&self, book: &Book, books: &Books, since: u64) -> Vec<Difference> {
        let today = self.clock.now().ist_date();
        let listed: BTreeMap<OrderId, &BrokerOrder> = books
            .orders
            .iter()
            .filter_map(|row| Some((book.match_row(&row.broker_id, row.tag.as_deref())?, row)))
            .collect();
        let mut found = Vec::new();
        for slot in book.live.values() {
            let order = &slot.order;
            let differs = |what: String| Difference { subject: order.id.to_string(), what };
            if order.is_unresolved() {
                found.push(differs(format!(
                    "{} {} {} of {}: {}, outcome not known",
                    order.terms.side,
                    order.terms.quantity,
                    order.terms.symbol,
                    order.strategy,
                    order.status()
                )));
            } else if order.filled() > order.booked() {
                found.push(differs(format!(
                    "{} shares filled in the order book, {} in the trades",
                    order.filled(),
                    order.booked()
                )));
            } else if !order.is_final() && slot.touched <= since {
                match listed.get(&order.id) {
                    None => found.push(differs(format!("{} here, not in the broker's book", order.status()))),
                    Some(_) if order.for_session < today => {
                        found.push(differs(format!(
                            "still {} after its session {}",
                            order.status(),
                            order.for_session
                        )));
                    }
                    Some(_) => {}
                }
            }
        }
        for row in &book.external {
            let is_our_shape = row.tag.as_deref().is_some_and(|tag| model::IntentId::parse(tag).is_some());
            if is_our_shape {
                found.push(Difference {
                    subject: row.broker_id.to_string(),
                    what: "carries a tag of this host that the journal does not know".to_owned(),
                });
            }
        }
        for position in book.ledger.positions(today) {
            let held = books.held(&position.symbol);
            // Holdings lag a day: they confirm what is settled, and may still show what was sold today.
            if held < position.settled {
                found.push(Difference {
                    subject: position.symbol.to_string(),
                    what: format!("the ledger has {} settled shares, the holdings {held}", position.settled),
                });
            }
        }
        found
    }
}
