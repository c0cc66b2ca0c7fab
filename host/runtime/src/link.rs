//! The linker of one component, made from its role: what is not granted is not linked.

use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Engine, StoreContextMut};

use crate::bindings::tradeagent::strategy::{
    buying, cancelling, config, log, market, notify, order_book, portfolio, run, selling, state, types,
};
use crate::contract::{self, INTERFACES};
use crate::engine::Profile;
use crate::grants::Role;
use crate::host::Host;

type Caller<'a> = StoreContextMut<'a, Host>;

/// Everything that `role` may import, with or without the empty world of WASI.
pub(crate) fn linker(
    engine: &Engine,
    profile: Profile,
    role: Role,
    wasi: bool,
) -> wasmtime::Result<Linker<Host>> {
    let mut linker = Linker::new(engine);
    if wasi {
        #[cfg(feature = "wasi")]
        crate::wasi::link(&mut linker, profile)?;
    }
    for interface in INTERFACES.iter().filter(|interface| interface.roles.contains(&role)) {
        match profile {
            Profile::Live => link_live(&mut linker, interface.name)?,
            Profile::Deterministic => link_inline(&mut linker, interface.name)?,
        }
    }
    Ok(linker)
}

/// The parts of WASI 0.2 that a strategy gets as an empty world.
#[cfg(feature = "wasi")]
const WASI: [&str; 6] =
    ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/", "wasi:sockets/"];

/// Whether an import is one of those, which components of other toolchains bring along.
#[cfg(feature = "wasi")]
pub(crate) fn is_wasi(import: &str) -> bool {
    import.contains("@0.2.") && WASI.iter().any(|interface| import.starts_with(interface))
}

/// This build has no WASI.
#[cfg(not(feature = "wasi"))]
pub(crate) const fn is_wasi(_import: &str) -> bool {
    false
}

fn link_live(linker: &mut Linker<Host>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "market" => market::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "portfolio" => portfolio::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "order-book" => order_book::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "buying" => buying::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "selling" => selling::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "cancelling" => cancelling::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        _ => link_reads(linker, interface),
    }
}

/// What answers from memory is synchronous in both profiles.
fn link_reads(linker: &mut Linker<Host>, interface: &str) -> wasmtime::Result<()> {
    match interface {
        "types" => types::add_to_linker::<_, HasSelf<_>>(linker, |host: &mut Host| host),
        "run" => run::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "log" => log::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "state" => state::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "config" => config::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        "notify" => notify::add_to_linker::<_, HasSelf<_>>(linker, |host| host),
        other => wasmtime::bail!("the interface `{other}` is in the table of the contract and not linked"),
    }
}

/// The same functions without a fiber: those that may wait are polled once, and one that does wait is
/// an error. It costs half of what a fiber per call does.
fn link_inline(linker: &mut Linker<Host>, interface: &str) -> wasmtime::Result<()> {
    let name = contract::full_name(interface);
    match interface {
        "market" => {
            let mut it = linker.instance(&name)?;
            it.func_wrap("get-instruments", |mut c: Caller<'_>, (filter,): (market::InstrumentFilter,)| {
                Ok((market::Host::get_instruments(c.data_mut(), filter)?,))
            })?;
            it.func_wrap("get-instrument", |mut c: Caller<'_>, (symbol,): (String,)| {
                Ok((market::Host::get_instrument(c.data_mut(), symbol)?,))
            })?;
            it.func_wrap("get-quote", |c: Caller<'_>, (symbol,): (String,)| {
                once(c, "market.get-quote", async |host| market::Host::get_quote(host, symbol).await)
            })?;
            it.func_wrap(
                "get-candles",
                |mut c: Caller<'_>, (symbols, interval, n): (Vec<String>, market::Interval, u32)| {
                    Ok((market::Host::get_candles(c.data_mut(), symbols, interval, n)?,))
                },
            )?;
            it.func_wrap("get-session", |mut c: Caller<'_>, ()| {
                Ok((market::Host::get_session(c.data_mut())?,))
            })
        }
        "portfolio" => {
            let mut it = linker.instance(&name)?;
            it.func_wrap("get-positions", |mut c: Caller<'_>, ()| {
                Ok((portfolio::Host::get_positions(c.data_mut())?,))
            })?;
            it.func_wrap("get-holdings", |c: Caller<'_>, ()| {
                once(c, "portfolio.get-holdings", async |host| portfolio::Host::get_holdings(host).await)
            })?;
            it.func_wrap("get-funds", |c: Caller<'_>, ()| {
                once(c, "portfolio.get-funds", async |host| portfolio::Host::get_funds(host).await)
            })?;
            it.func_wrap("reconcile", |c: Caller<'_>, ()| {
                once(c, "portfolio.reconcile", async |host| portfolio::Host::reconcile(host).await)
            })?;
            it.func_wrap("get-day-account", |c: Caller<'_>, ()| {
                once(c, "portfolio.get-day-account", async |host| {
                    portfolio::Host::get_day_account(host).await
                })
            })
        }
        "order-book" => {
            let mut it = linker.instance(&name)?;
            it.func_wrap("get-order", |mut c: Caller<'_>, (id,): (String,)| {
                Ok((order_book::Host::get_order(c.data_mut(), id)?,))
            })?;
            it.func_wrap("get-own-orders", |mut c: Caller<'_>, ()| {
                Ok((order_book::Host::get_own_orders(c.data_mut())?,))
            })?;
            it.func_wrap("get-account-orders", |c: Caller<'_>, ()| {
                once(c, "order-book.get-account-orders", async |host| {
                    order_book::Host::get_account_orders(host).await
                })
            })
        }
        "buying" => {
            let mut it = linker.instance(&name)?;
            it.func_wrap("place", |c: Caller<'_>, (request,): (types::OrderRequest,)| {
                once(c, "buying.place", async |host| buying::Host::place(host, request).await)
            })?;
            it.func_wrap(
                "modify",
                |c: Caller<'_>, (order, key, price, quantity): (String, String, i64, u32)| {
                    once(c, "buying.modify", async |host| {
                        buying::Host::modify(host, order, key, price, quantity).await
                    })
                },
            )
        }
        "selling" => {
            let mut it = linker.instance(&name)?;
            it.func_wrap("place", |c: Caller<'_>, (request,): (types::OrderRequest,)| {
                once(c, "selling.place", async |host| selling::Host::place(host, request).await)
            })?;
            it.func_wrap(
                "modify",
                |c: Caller<'_>, (order, key, price, quantity): (String, String, i64, u32)| {
                    once(c, "selling.modify", async |host| {
                        selling::Host::modify(host, order, key, price, quantity).await
                    })
                },
            )
        }
        "cancelling" => {
            let mut it = linker.instance(&name)?;
            it.func_wrap("cancel", |c: Caller<'_>, (order, reason): (String, String)| {
                once(c, "cancelling.cancel", async |host| cancelling::Host::cancel(host, order, reason).await)
            })
        }
        _ => link_reads(linker, interface),
    }
}

/// Polls a host function once.
fn once<T>(
    mut caller: Caller<'_>,
    name: &'static str,
    function: impl AsyncFnOnce(&mut Host) -> wasmtime::Result<T>,
) -> wasmtime::Result<(T,)> {
    let host = caller.data_mut();
    let polled = pin!(function(host)).poll(&mut Context::from_waker(Waker::noop()));
    match polled {
        Poll::Ready(result) => Ok((result?,)),
        Poll::Pending => Err(host.waited(name)),
    }
}
