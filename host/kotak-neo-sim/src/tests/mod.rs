//! Tests of the sim as a whole, through its calls.

mod books;
mod data;
mod faults;
mod faults_orders;
mod faults_sessions;
mod feed;
mod login;
mod orders;
mod stage;
mod table;
mod transport;
