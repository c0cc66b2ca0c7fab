//! The Broker port: what the desk may ask of a broker, and how an answer is classed.
//!
//! Architecture invariant: nothing here retries, waits, or knows a wire. Start reading at [`Broker`].

pub mod conformance;
mod port;

pub use port::{
    Ack, Broker, BrokerOrder, BrokerTrade, CallError, CancelCall, ModifyCall, NetPosition, PlaceCall,
    SendError,
};
