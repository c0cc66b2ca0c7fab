//! Kotak Neo behind the Broker port.
