//! Order book, trades, positions, holdings, money.

use super::{Client, SMALL_BYTES_MAX};
use crate::address;
use crate::answer::{Answer, Rule, empty_if_no_data};
use crate::error::Error;
use crate::fields::RowError;
use crate::json::Json;
use crate::order_number::OrderNumber;
use crate::orders::object;
use crate::rows::{
    ClientIp, HistoryRow, HoldingRow, Limits, Margin, MarginQuery, OrderRow, PositionRow, TradeRow,
};

/// Which of the two paths gives the positions: it is open which one stays (facts 2.7, 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PositionsPath {
    /// `portfolio/v2/positions`: the broker's newest client.
    V2,
    /// `quick/user/positions`: the documents and everybody else.
    Quick,
}

impl Client {
    /// The order book of the day (facts 2.4). An empty list is the broker's word that there are no orders.
    pub async fn orders(&self) -> Result<Vec<OrderRow>, Error> {
        self.list("quick/user/orders", OrderRow::read).await
    }

    /// One order (facts 2.4). A row of another order makes the answer [`Error::Unreadable`].
    pub async fn order(&self, order_no: &OrderNumber) -> Result<Vec<OrderRow>, Error> {
        let path = format!("quick/user/orders/{}", address::encode(order_no.as_str()));
        let read = |json: &Json| {
            let row = OrderRow::read(json)?;
            same(order_no, Some(&row.order_no))?;
            Ok(row)
        };
        self.list(&path, read).await
    }

    /// What happened to an order, newest first (facts 2.5). A row of another order makes the answer
    /// [`Error::Unreadable`].
    pub async fn history(&self, order_no: &OrderNumber) -> Result<Vec<HistoryRow>, Error> {
        let call = self.post("quick/order/history", object([("nOrdNo", order_no.to_string())]));
        let read = |json: &Json| {
            let row = HistoryRow::read(json)?;
            same(order_no, row.order_no.as_ref())?;
            Ok(row)
        };
        empty_if_no_data(self.call(call).await.and_then(|answer| answer.rows(read)))
    }

    /// The fills of the day (facts 2.6).
    pub async fn trades(&self) -> Result<Vec<TradeRow>, Error> {
        self.list("quick/user/trades", TradeRow::read).await
    }

    /// The positions of the day (facts 2.7).
    pub async fn positions(&self, path: PositionsPath) -> Result<Vec<PositionRow>, Error> {
        let path = match path {
            PositionsPath::V2 => "portfolio/v2/positions",
            PositionsPath::Quick => "quick/user/positions",
        };
        self.list(path, PositionRow::read).await
    }

    /// The holdings (facts 2.8): the answer has no `stat`, `data` alone makes it a success.
    pub async fn holdings(&self) -> Result<Vec<HoldingRow>, Error> {
        let call = self.get("portfolio/v1/holdings", Rule::Data);
        empty_if_no_data(self.call(call).await.and_then(|answer| answer.rows(HoldingRow::read)))
    }

    /// The account's money (facts 2.9).
    pub async fn limits(&self) -> Result<Limits, Error> {
        let all = ["seg", "exch", "prod"].map(|name| (name, "ALL".to_owned()));
        let answer = self.call(self.post("quick/user/limits", object(all))).await?;
        read_one(&answer, &answer.json, Limits::read)
    }

    /// What an order would need (facts 2.10).
    pub async fn margin(&self, query: &MarginQuery) -> Result<Margin, Error> {
        let answer = self.call(self.post("quick/user/check-margin", query.wire())).await?;
        read_one(&answer, &answer.json, Margin::read)
    }

    /// Our address as the broker sees it (facts 1.1): the call goes to the login's host.
    pub async fn client_ip(&self) -> Result<ClientIp, Error> {
        let mut call = self.get("", Rule::Code1000);
        call.url = format!("{}/login/1.0/get-client-ip", self.session.login_url);
        call.answer_bytes_max = SMALL_BYTES_MAX;
        let answer = self.call(call).await?;
        let first = answer.json.get("data").and_then(Json::list).and_then(|rows| rows.first());
        let first = first.ok_or_else(|| answer.unreadable("an answer without an address"))?;
        read_one(&answer, first, ClientIp::read)
    }

    /// Ends the session, best effort (facts 1.1: only the first generation's client really calls it; where
    /// the server does not know the path, the session ends at midnight).
    pub async fn logout(&self) -> Result<(), Error> {
        let mut call = self.post("", object([]));
        call.url = format!("{}/login/1.0/logout", self.session.login_url);
        call.form = None;
        call.answer_bytes_max = SMALL_BYTES_MAX;
        self.call(call).await.map(drop)
    }

    async fn list<T>(
        &self,
        path: &str,
        read: impl Fn(&Json) -> Result<T, RowError>,
    ) -> Result<Vec<T>, Error> {
        let call = self.get(path, Rule::Stat);
        empty_if_no_data(self.call(call).await.and_then(|answer| answer.rows(read)))
    }
}

fn read_one<T>(
    answer: &Answer,
    json: &Json,
    read: impl Fn(&Json) -> Result<T, RowError>,
) -> Result<T, Error> {
    read(json).map_err(|why| answer.unreadable(&why))
}

fn same(asked: &OrderNumber, given: Option<&OrderNumber>) -> Result<(), RowError> {
    match given {
        Some(given) if given != asked => Err(format!("it is of order {given}, and {asked} was asked for")),
        _ => Ok(()),
    }
}
