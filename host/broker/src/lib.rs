//! The Broker port: what the desk may ask of a broker, and how an answer is classed.
//!
//! Architecture invariant: nothing here retries, waits, or knows a wire. Start reading at [`Broker`].

pub mod conformance;
mod port;
pub mod rate;
pub mod session;

pub use port::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CallKind, CancelCall, ModifyCall, NetPosition,
    NotReady, PlaceCall, SendError,
};
