//! Where the two ends meet, and who is let in: a Unix socket, or a named pipe of Windows. Each has `Door`
//! (the host's end: `bind`, `accept`, `close`), `who` (the peer by the kernel's word) and `Way` (the command
//! line's end: blocking, with patience).

#[cfg(unix)]
mod peer;
#[cfg(windows)]
mod pipe;
#[cfg(unix)]
mod socket;

#[cfg(unix)]
pub(super) use peer::user_name;
#[cfg(windows)]
pub(super) use pipe::{Door, Way, who};
#[cfg(unix)]
pub(super) use socket::{Door, Way, who};

/// Who speaks, for the auditor; or why this one may not.
pub(super) type Who = Result<String, String>;
