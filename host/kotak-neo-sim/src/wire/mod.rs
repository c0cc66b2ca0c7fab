//! The JSON of the wire, field by field with its odd types (facts 2.4 to 2.13). Written from the facts
//! alone: no type here is the client's.

pub(crate) mod feed;
pub(crate) mod historical;
pub(crate) mod history_row;
pub(crate) mod holding_row;
pub(crate) mod limits;
pub(crate) mod margin;
pub(crate) mod master;
pub(crate) mod order_row;
pub(crate) mod position_row;
pub(crate) mod quotes;
pub(crate) mod time;
pub(crate) mod trade_row;
pub(crate) mod watchlist;

use serde_json::{Value, json};

use crate::faults::EmptyShape;
use crate::reply::Reply;

/// A book: rows, or what the server says when there is none. `stat` is spelled differently by call.
pub(crate) fn book(stat: &str, rows: Vec<Value>, empty: EmptyShape) -> Reply {
    match (rows.is_empty(), empty) {
        (true, EmptyShape::NoData) => no_data(),
        _ => Reply::ok(&json!({"stat": stat, "stCode": 200, "data": rows})),
    }
}

/// Code 5203. Its HTTP status is not documented: 200 is an inference (facts 3.3).
pub(crate) fn no_data() -> Reply {
    Reply::ok(&json!({"stCode": 5203, "errMsg": "No Data", "desc": "data not found", "stat": "Not_Ok"}))
}

/// `YES` and the like are texts everywhere.
pub(crate) fn side(side: model::Side) -> &'static str {
    match side {
        model::Side::Buy => "B",
        model::Side::Sell => "S",
    }
}
