//! `order-book`: orders, this strategy's and the account's.

use super::{Host, answer, answer_list};
use crate::bindings::tradeagent::strategy::{order_book, types};

impl order_book::Host for Host {
    fn get_order(&mut self, id: String) -> wasmtime::Result<Result<types::Order, types::ReadError>> {
        self.enter()?;
        answer(self.services.order(self.origin(), &id))
    }

    fn get_own_orders(&mut self) -> wasmtime::Result<Result<Vec<types::Order>, types::ReadError>> {
        self.enter()?;
        answer_list(self.services.own_orders(self.origin()))
    }

    async fn get_account_orders(&mut self) -> wasmtime::Result<Result<Vec<types::Order>, types::ReadError>> {
        self.enter()?;
        answer_list(self.services.account_orders(self.origin()).await)
    }
}
