//! Orders on a mock host: kept by their keys, standing until the test says what became of them.

use super::Host;
use super::data::{STRATEGY, World};
use crate::bindings::tradeagent::strategy::portfolio::Position;
use crate::bindings::tradeagent::strategy::types::{
    Denial, Order, OrderError, OrderRequest, Placed, Side, Status,
};
use crate::price::{Price, Quantity};
use crate::stage::{self, Stage};

impl Host {
    /// So many more shares of the order under `key` have traded at `price`. The position follows; bought shares
    /// are not settled yet.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, buy::{buying, portfolio, types::{OrderRequest, Status}}, price::Price};
    /// let host = mock::Host::new();
    /// host.listed(mock::instrument("TCS", 3_000));
    /// buying::place(&OrderRequest::limit("dip:TCS", "TCS", 10, 29_900_000)).unwrap();
    /// host.fill("dip:TCS", 4, Price::rupees(2_990));
    /// assert_eq!(host.orders()[0].status, Status::PartiallyFilled);
    /// let position = &portfolio::get_positions().unwrap()[0];
    /// assert_eq!((position.quantity, position.free), (4, 0));
    /// ```
    ///
    /// # Panics
    /// When there is no such order, or it has fewer shares left.
    pub fn fill(&self, key: &str, quantity: u32, price: Price) {
        let id = self.find(key);
        let mut world = self.world.borrow_mut();
        let opened = world.day;
        let order = world.order_mut(&id).expect("it was found");
        assert!(stage::of(&order.status) != Stage::Final, "the order under {key} has ended");
        assert!(quantity <= order.quantity - order.filled, "the order under {key} has fewer shares left");
        let before = Price(order.average) * Quantity(order.filled);
        order.filled += quantity;
        let paid = (price * Quantity(quantity)).0;
        order.average = (before.0 + paid) / i64::from(order.filled.max(1));
        order.status = if order.filled == order.quantity { Status::Filled } else { Status::PartiallyFilled };
        let (symbol, side) = (order.symbol.clone(), order.side);
        let position = world.positions.entry(symbol.clone()).or_insert_with(|| nothing(&symbol, opened));
        match side {
            Side::Buy => {
                position.quantity += quantity;
                position.unsettled += quantity;
                position.cost += paid;
            }
            Side::Sell => {
                position.cost -= position.cost / i64::from(position.quantity.max(1)) * i64::from(quantity);
                position.quantity -= quantity;
                position.settled -= quantity;
                position.in_working_sells -= quantity;
            }
        }
        world.positions.retain(|_, position| position.quantity > 0);
    }

    /// What else became of the order under `key`.
    ///
    /// ```
    /// use tradeagent_sdk::{mock, sell::{portfolio, selling, types::{OrderRequest, Status}}, price::Price};
    /// let host = mock::Host::new();
    /// host.listed(mock::instrument("TCS", 3_000));
    /// host.owned("TCS", 10, Price::rupees(2_900));
    /// selling::place(&OrderRequest::limit("exit:TCS", "TCS", 10, 31_000_000)).unwrap();
    /// assert_eq!(portfolio::get_positions().unwrap()[0].free, 0);
    /// host.becomes("exit:TCS", Status::Rejected);
    /// assert_eq!(portfolio::get_positions().unwrap()[0].free, 10);
    /// ```
    ///
    /// # Panics
    /// When there is no such order.
    pub fn becomes(&self, key: &str, status: Status) {
        let id = self.find(key);
        self.world.borrow_mut().becomes(&id, status);
    }
}

fn nothing(symbol: &str, opened: crate::bindings::tradeagent::strategy::types::Date) -> Position {
    Position {
        symbol: symbol.to_owned(),
        quantity: 0,
        settled: 0,
        unsettled: 0,
        in_working_sells: 0,
        free: 0,
        cost: 0,
        opened,
        extras: Vec::new(),
    }
}

fn denied(rule: &str, reason: String) -> OrderError {
    OrderError::Denied(Denial { rule: rule.to_owned(), reason })
}

fn placed(order: &Order) -> Placed {
    Placed {
        id: order.id.clone(),
        status: order.status.clone(),
        filled: order.filled,
        average: order.average,
    }
}

impl World {
    fn order_mut(&mut self, id: &str) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.id == id)
    }

    /// The order that `key` was used for today; an error when it was for something else.
    fn known(&mut self, key: &str, content: &str) -> Result<Option<Placed>, OrderError> {
        let Some((id, before)) = self.keys.get(key).cloned() else {
            return self.order_errors.pop_front().map_or(Ok(None), Err);
        };
        if before != content {
            return Err(denied("key-reused", format!("the key {key} was used for {before}")));
        }
        Ok(self.order_mut(&id).map(|order| placed(order)))
    }

    pub(super) fn place(&mut self, side: Side, request: &OrderRequest) -> Result<Placed, OrderError> {
        let content = format!("{side:?} {request:?}");
        if let Some(known) = self.known(&request.key, &content)? {
            return Ok(known);
        }
        if !self.instruments.contains_key(&request.symbol) {
            return Err(OrderError::Other(format!("there is no instrument {}", request.symbol)));
        }
        if request.quantity == 0 {
            return Err(denied("quantity", "an order of no shares".to_owned()));
        }
        if side == Side::Sell {
            self.take(&request.symbol, request.quantity)?;
        }
        let id = format!("MOCK{:012}", self.orders.len() + 1);
        let order = Order {
            id: id.clone(),
            strategy: Some(STRATEGY.to_owned()),
            key: request.key.clone(),
            symbol: request.symbol.clone(),
            side,
            order_type: request.order_type,
            product: request.product,
            validity: request.validity,
            quantity: request.quantity,
            price: request.price,
            trigger: request.trigger,
            amo: request.amo,
            status: match (request.amo, request.trigger) {
                (true, _) => Status::QueuedAmo,
                (_, Some(_)) => Status::PendingTrigger,
                _ => Status::New,
            },
            filled: 0,
            average: 0,
            for_session: self.for_session().filter(|_| request.amo).unwrap_or(self.day),
            placed_at: self.now,
            reason: request.reason.clone(),
            extras: Vec::new(),
        };
        self.keys.insert(request.key.clone(), (id, content));
        let answer = placed(&order);
        self.orders.push(order);
        Ok(answer)
    }

    /// Puts free shares into a working sell.
    fn take(&mut self, symbol: &str, quantity: u32) -> Result<(), OrderError> {
        let position = self.positions.get_mut(symbol).filter(|it| it.free >= quantity);
        let Some(position) = position else {
            return Err(denied("not-owned", format!("fewer than {quantity} shares of {symbol} are free")));
        };
        position.free -= quantity;
        position.in_working_sells += quantity;
        Ok(())
    }

    /// An own order that still stands.
    fn working(&mut self, id: &str) -> Result<&mut Order, OrderError> {
        let order = self.order_mut(id).filter(|order| order.strategy.as_deref() == Some(STRATEGY));
        let order =
            order.ok_or_else(|| denied("no-such-order", format!("there is no order {id} to change")))?;
        if stage::of(&order.status) == Stage::Working {
            Ok(order)
        } else {
            Err(OrderError::Other(format!("the order {id} is {}", stage::name(&order.status))))
        }
    }

    pub(super) fn modify(
        &mut self,
        side: Side,
        id: &str,
        key: &str,
        price: i64,
        total: u32,
    ) -> Result<Placed, OrderError> {
        let content = format!("{side:?} {id} at {price} for {total}");
        if let Some(known) = self.known(key, &content)? {
            return Ok(known);
        }
        let order = self.working(id)?;
        if order.side != side || total < order.filled {
            return Err(denied("no-such-order", format!("{id} is no such order")));
        }
        let (symbol, before) = (order.symbol.clone(), order.quantity);
        if side == Side::Sell {
            if total > before {
                self.take(&symbol, total - before)?;
            } else {
                self.give_back(&symbol, before - total);
            }
        }
        let order = self.working(id)?;
        (order.price, order.quantity) = (price, total);
        let answer = placed(order);
        self.keys.insert(key.to_owned(), (id.to_owned(), content));
        Ok(answer)
    }

    pub(super) fn cancel(&mut self, id: &str) -> Result<Placed, OrderError> {
        if let Some(error) = self.order_errors.pop_front() {
            return Err(error);
        }
        let Some(order) = self.order_mut(id) else {
            return Err(denied("no-such-order", format!("there is no order {id} to cancel")));
        };
        if stage::of(&order.status) == Stage::Working {
            self.becomes(id, Status::Canceled);
        }
        Ok(placed(self.order_mut(id).expect("it was found above")))
    }

    fn becomes(&mut self, id: &str, status: Status) {
        let order = self.order_mut(id).expect("its caller has found it");
        let ends = stage::of(&order.status) != Stage::Final && stage::of(&status) == Stage::Final;
        order.status = status;
        let (symbol, left) = (order.symbol.clone(), order.quantity - order.filled);
        if ends && order.side == Side::Sell {
            self.give_back(&symbol, left);
        }
    }

    fn give_back(&mut self, symbol: &str, quantity: u32) {
        if let Some(position) = self.positions.get_mut(symbol) {
            let quantity = quantity.min(position.in_working_sells);
            position.in_working_sells -= quantity;
            position.free += quantity;
        }
    }
}
