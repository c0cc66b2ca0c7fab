//! Linux: systemd by D-Bus, processes by pidfd.

mod proc;
mod systemd;
mod user_manager;

pub use proc::process_is_visible_to_us;
pub use proc::started;
pub(crate) use proc::{all_are_visible, end, unit_of};
pub use systemd::Systemd;
pub use user_manager::{AS_USER, user_manager};
