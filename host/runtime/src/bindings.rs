//! The contract in Rust: generated once, from the widest world.
//!
//! `TraderPre` is not used: the runtime looks up the one export itself, so every world loads with
//! these bindings. Imports are trappable because a budget that is used up ends the run.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "trader",
    imports: {
        "tradeagent:strategy/market.get-quote": async | trappable,
        "tradeagent:strategy/portfolio.get-holdings": async | trappable,
        "tradeagent:strategy/portfolio.get-funds": async | trappable,
        "tradeagent:strategy/portfolio.reconcile": async | trappable,
        "tradeagent:strategy/portfolio.get-day-account": async | trappable,
        "tradeagent:strategy/order-book.get-account-orders": async | trappable,
        "tradeagent:strategy/buying": async | trappable,
        "tradeagent:strategy/selling": async | trappable,
        "tradeagent:strategy/cancelling": async | trappable,
        default: trappable,
    },
    exports: { default: async },
    require_store_data_send: true,
});
