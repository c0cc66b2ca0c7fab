//! `kill -9` on an order's way over a real wire with a real journal, then a restart: between each two steps
//! (`steps`), and at random moments (`random`).
//!
//! The simulator lives in this process; the host is this test program again (`host`), killed and started
//! anew.
#![cfg(unix)]

mod host;
mod random;
mod steps;
#[path = "../support/mod.rs"]
mod support;
