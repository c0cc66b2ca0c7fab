//! Every `wasmtime::Config` of the project is built here, so that what one build compiles ahead of
//! time another accepts.

use wasmtime::{Config, Engine};

/// How long one epoch lasts: the longest that one strategy computes before its siblings get a turn. A
/// tick passes through two tasks before it starts, so beside `n` strategies that compute without end on
/// one thread it starts up to `2 n` epochs late.
pub const EPOCH_MILLIS: u64 = 5;
/// Stack of a strategy's own code. A recursion deeper than this ends the run.
pub const STACK_BYTES: usize = 512 << 10;
/// Stack of the fiber that a live strategy runs on: its own and that of the host functions it calls.
const FIBER_STACK_BYTES: usize = 2 << 20;

/// How computing is bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// By real time: epochs, yielding to siblings; host functions may wait. For `run` and `demo`.
    Live,
    /// By fuel, which is the same on every machine; host functions never wait. For `simulate` and
    /// `backtest`.
    Deterministic,
}

/// The settings of `profile`.
pub fn config(profile: Profile) -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Host functions are Rust futures behind synchronous WIT functions; concurrency inside the
        // component model would double the price of each call and let a guest reorder itself.
        .concurrency_support(false)
        // The only instructions whose result depends on the machine, and the only values: a recorded run is had
        // again on another one.
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(true)
        .max_wasm_stack(STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES);
    match profile {
        Profile::Live => config.epoch_interruption(true),
        Profile::Deterministic => config.consume_fuel(true),
    };
    config
}

/// An engine of `profile`.
pub fn engine(profile: Profile) -> wasmtime::Result<Engine> {
    Engine::new(&config(profile))
}

/// What compiled code depends on besides its source: wasmtime's version and every setting.
pub fn fingerprint(engine: &Engine) -> [u8; 32] {
    struct Blake(blake3::Hasher);
    impl std::hash::Hasher for Blake {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hasher = Blake(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut hasher);
    *hasher.0.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmtime::component::Component;

    /// The smallest component with code in it.
    const COMPONENT: &str =
        "(component (core module $m (func (export \"f\") (loop (br 0)))) (core instance (instantiate $m)))";

    #[test]
    fn what_one_build_compiles_another_accepts() {
        for profile in [Profile::Live, Profile::Deterministic] {
            let bytes = wat::parse_str(COMPONENT).expect("text");
            let one = engine(profile).expect("engine");
            let other = engine(profile).expect("engine");
            let compiled = one.precompile_component(&bytes).expect("compiles");
            // SAFETY: these bytes were made by the line above.
            let component = unsafe { Component::deserialize(&other, &compiled) };
            component.expect("the other build accepts it");
            assert_eq!(fingerprint(&one), fingerprint(&other));
        }
    }

    #[test]
    fn the_profiles_do_not_share_compiled_code() {
        let live = engine(Profile::Live).expect("engine");
        let deterministic = engine(Profile::Deterministic).expect("engine");
        assert_ne!(fingerprint(&live), fingerprint(&deterministic));
        let bytes = wat::parse_str(COMPONENT).expect("text");
        let compiled = live.precompile_component(&bytes).expect("compiles");
        // SAFETY: these bytes were made by the line above.
        assert!(unsafe { Component::deserialize(&deterministic, &compiled) }.is_err());
    }
}
