//! The client against scripted answers and real sockets.

mod calls;
mod feed;
mod hostile;
mod http;
mod login;
mod money;
mod rows;
mod samples;
mod scrip;
mod secrets;
mod shapes;
mod sockets;
mod support;
