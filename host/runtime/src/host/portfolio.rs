//! `portfolio`: what the system owns, what the broker holds, and the day's account.

use super::{Host, answer, answer_list};
use crate::bindings::tradeagent::strategy::{portfolio, types};

impl portfolio::Host for Host {
    fn get_positions(&mut self) -> wasmtime::Result<Result<Vec<portfolio::Position>, types::ReadError>> {
        self.enter()?;
        answer_list(self.services.positions(self.origin()))
    }

    async fn get_holdings(&mut self) -> wasmtime::Result<Result<Vec<portfolio::Holding>, types::ReadError>> {
        self.enter()?;
        answer_list(self.services.holdings(self.origin()).await)
    }

    async fn get_funds(&mut self) -> wasmtime::Result<Result<portfolio::Funds, types::ReadError>> {
        self.enter()?;
        answer(self.services.funds(self.origin()).await)
    }

    async fn reconcile(&mut self) -> wasmtime::Result<Result<Vec<portfolio::Difference>, types::ReadError>> {
        self.enter()?;
        answer_list(self.services.reconcile(self.origin()).await)
    }

    async fn get_day_account(&mut self) -> wasmtime::Result<Result<portfolio::DayAccount, types::ReadError>> {
        self.enter()?;
        answer(self.services.day_account(self.origin()).await)
    }
}
