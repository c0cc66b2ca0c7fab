//! `state`, `config`, `notify`: keeping things, parameters, alerts.

use std::collections::BTreeSet;

use model::ReadError;

use super::{Host, cut};
use crate::bindings::tradeagent::strategy::{config, notify, state};
use crate::outcome::StopReason;

/// Longer alert keys are cut.
const ALERT_KEY_BYTES: usize = 200;
/// Longer alerts are cut: they leave by mail or webhook.
const ALERT_TEXT_BYTES: usize = 4_000;

/// Writes are kept here until the run ends, and reads see them. What the durable store cannot answer
/// ends the run: "not there" would be a lie that a strategy acts on.
impl state::Host for Host {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        self.enter()?;
        if let Some(written) = self.state.get(&key) {
            return Ok(written.clone());
        }
        let stored = self.services.state_get(self.origin(), &key);
        self.or_end(stored)
    }

    fn set(&mut self, key: String, value: Vec<u8>) -> wasmtime::Result<bool> {
        self.enter()?;
        let limits = self.limits;
        if key.is_empty() || key.len() > limits.state_key_bytes || value.len() > limits.state_value_bytes {
            return Ok(false);
        }
        let written = self.state_written + key.len() + value.len();
        if written > limits.state_write_bytes {
            return Ok(false);
        }
        if !self.has(&key)? {
            let keys = self.count_keys()?;
            if keys >= limits.state_keys {
                return Ok(false);
            }
            self.state_keys = Some(keys + 1);
        }
        self.state_written = written;
        self.state.insert(key, Some(value));
        Ok(true)
    }

    fn delete(&mut self, key: String) -> wasmtime::Result<bool> {
        self.enter()?;
        let there = self.has(&key)?;
        if there {
            self.state.insert(key, None);
            self.state_keys = self.state_keys.map(|keys| keys.saturating_sub(1));
        }
        Ok(there)
    }

    fn keys(&mut self, prefix: String) -> wasmtime::Result<Vec<String>> {
        self.enter()?;
        Ok(self.all_keys(&prefix)?.into_iter().collect())
    }
}

impl Host {
    fn has(&mut self, key: &str) -> wasmtime::Result<bool> {
        if let Some(written) = self.state.get(key) {
            return Ok(written.is_some());
        }
        let stored = self.services.state_get(self.origin(), key);
        Ok(self.or_end(stored)?.is_some())
    }

    /// How many keys there are. Listed once a run: a strategy may set thousands of new ones.
    fn count_keys(&mut self) -> wasmtime::Result<usize> {
        let keys = match self.state_keys {
            Some(keys) => keys,
            None => self.all_keys("")?.len(),
        };
        Ok(*self.state_keys.insert(keys))
    }

    fn all_keys(&mut self, prefix: &str) -> wasmtime::Result<BTreeSet<String>> {
        let stored = self.services.state_keys(self.origin(), prefix);
        let mut keys: BTreeSet<String> = self.or_end(stored)?.into_iter().collect();
        for (key, value) in
            self.state.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix))
        {
            if value.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        Ok(keys)
    }

    fn or_end<T>(&mut self, result: Result<T, ReadError>) -> wasmtime::Result<T> {
        result.map_err(|error| {
            self.end_with(StopReason::Host(format!("its state could not be read ({error})")))
        })
    }
}

impl config::Host for Host {
    fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.enter()?;
        Ok(self.info.params.get(&name).cloned())
    }

    fn all(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        self.enter()?;
        Ok(self.info.params.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
    }
}

impl notify::Host for Host {
    fn alert(&mut self, key: String, severity: notify::Severity, text: String) -> wasmtime::Result<bool> {
        self.enter()?;
        self.alerts += 1;
        if self.alerts > self.limits.alerts {
            let limit = self.limits.alerts;
            return Err(self.end_with(StopReason::TooManyAlerts { limit }));
        }
        let (key, text) = (cut(key, ALERT_KEY_BYTES), cut(text, ALERT_TEXT_BYTES));
        Ok(self.services.alert(self.origin(), &key, severity.into(), &text))
    }
}
