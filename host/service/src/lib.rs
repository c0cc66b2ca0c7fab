//! The binary `tradeagent` as a library: CLI, config, clock, wiring, lock, scheduler, control socket.
//!
//! The way through it, and the only one: schedule -> run -> component -> host function -> oms ->
//! journal -> broker. Start reading at [`schedule`], then [`runner`] and [`services`].

// The operator's side.
pub mod cli;
pub mod config;
pub mod control;
pub mod credentials;
pub mod exit;
pub mod lock;
pub mod lookout;
pub mod notify;
pub mod output;
pub mod places;
pub mod report;
pub mod whole_file;
#[cfg(windows)]
pub mod windows_security;
// The day's side.
pub mod backtest;
pub mod changes;
pub mod clock;
pub mod free_space;
pub mod host;
pub mod hotswap;
pub mod live;
pub mod offload;
pub mod recording;
pub mod replay;
pub mod runner;
pub mod schedule;
pub mod scheduler;
pub mod services;
pub mod signing;
pub mod sim_account;
pub mod simulate;
pub mod strategies;
pub mod supervisor;
pub mod tend;
pub mod wiring;
// The commands.
pub mod commands;
