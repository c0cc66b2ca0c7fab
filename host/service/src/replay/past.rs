//! What one strategy did over all recorded runs: its orders, alerts and state, known before another version
//! is let into them.

use std::collections::{BTreeMap, BTreeSet};

use model::{Date, ModifyRequest, OrderId, OrderTerms, PlaceRequest, Placed, Price, Quantity, ReadError};
use runtime::Severity;
use runtime::tape::{Bytes, Call, Function, Refused, Tape, decode};

/// One thing that was asked for an order. Keys of changes and reasons are words, not deeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// It was placed.
    Place(OrderTerms),
    /// It was changed.
    Modify(Price, Quantity),
    /// It was cancelled.
    Cancel,
}

/// An alert's severity and text.
pub type AlertText = (Severity, String);

/// What the desk said then.
pub type Answered = Result<Placed, Refused>;

/// All of it.
#[derive(Debug, Default)]
pub struct Past {
    /// By order: at which run, and what. Only what was taken.
    pub acts: BTreeMap<OrderId, Vec<(usize, Act)>>,
    /// Of orders that were placed: day and key.
    pub keys: BTreeMap<OrderId, (Date, String)>,
    /// Every placing, its answer too: the first of each content.
    pub placed: BTreeMap<OrderId, Vec<(OrderTerms, Answered)>>,
    /// What was asked of an order after it was placed, and the answer.
    pub changed: BTreeMap<OrderId, Vec<(Act, Answered)>>,
    /// Alerts that went out.
    pub alerts: BTreeMap<(Date, String), AlertText>,
    /// Alerts that had gone out before the recording began.
    pub alerted_before: BTreeSet<(Date, String)>,
    /// The state at the beginning, as far as it was read.
    pub state: BTreeMap<String, Option<Vec<u8>>>,
    /// Keys that the state had at the beginning.
    pub state_keys: BTreeSet<String>,
    written: BTreeSet<String>,
    runs: usize,
}

/// Whether an order came of it, or may have.
pub fn taken(answer: &Answered) -> bool {
    matches!(answer, Ok(_) | Err(Refused::Refused { .. } | Refused::Unknown(_)))
}

impl Past {
    /// Adds the next run.
    pub fn add(&mut self, tape: &Tape) {
        for call in &tape.calls {
            // What this version cannot read tells it nothing; the replay itself will say so.
            let _ = self.call(tape, call);
        }
        self.written.extend(tape.end.state.iter().map(|(key, _)| key.clone()));
        self.runs += 1;
    }

    fn act(&mut self, order: OrderId, act: Act, answer: Answered) {
        if taken(&answer) {
            let acts = self.acts.entry(order).or_default();
            if acts.last().is_none_or(|(_, last)| *last != act) {
                acts.push((self.runs, act.clone()));
            }
        }
        match act {
            Act::Place(terms) => {
                let placed = self.placed.entry(order).or_default();
                if !placed.iter().any(|(known, _)| *known == terms) {
                    placed.push((terms, answer));
                }
            }
            act => self.changed.entry(order).or_default().push((act, answer)),
        }
    }

    fn call(&mut self, tape: &Tape, call: &Call) -> Option<()> {
        let origin = &tape.info.origin;
        let arguments = call.arguments.as_str();
        match call.function {
            Function::Place => {
                let request: PlaceRequest = decode(arguments).ok()?;
                let answer: Answered = decode(&call.answer).ok()?;
                let order = OrderId::derive(&origin.account, &origin.strategy, origin.day, &request.key);
                // A key that belongs to another order places nothing.
                if matches!(&answer, Err(Refused::Denied { rule, .. }) if rule == "key-reused") {
                    return None;
                }
                self.keys.entry(order).or_insert((origin.day, request.key));
                // The same again is the same order.
                let again = self.acts.get(&order).is_some_and(|acts| {
                    acts.iter().any(|(_, act)| *act == Act::Place(request.terms.clone()))
                });
                if !again {
                    self.act(order, Act::Place(request.terms), answer);
                }
            }
            Function::Modify => {
                let request: ModifyRequest = decode(arguments).ok()?;
                let act = Act::Modify(request.price, request.total_quantity);
                self.act(request.order, act, decode(&call.answer).ok()?);
            }
            Function::Cancel => {
                let (order, _, _): (OrderId, bool, String) = decode(arguments).ok()?;
                self.act(order, Act::Cancel, decode(&call.answer).ok()?);
            }
            Function::Alert => {
                let (key, severity, text): (String, Severity, String) = decode(arguments).ok()?;
                let key = (origin.day, key);
                if decode(&call.answer).ok()? {
                    self.alerts.insert(key, (severity, text));
                } else if !self.alerts.contains_key(&key) {
                    self.alerted_before.insert(key);
                }
            }
            Function::StateGet => {
                let key: String = decode(arguments).ok()?;
                let answer: Result<Option<Bytes>, ReadError> = decode(&call.answer).ok()?;
                if !self.written.contains(&key)
                    && let Ok(value) = answer
                {
                    self.state.entry(key).or_insert(value.map(|bytes| bytes.0));
                }
            }
            Function::StateKeys => {
                let answer: Result<Vec<String>, ReadError> = decode(&call.answer).ok()?;
                let keys = answer.ok()?.into_iter().filter(|key| !self.written.contains(key));
                self.state_keys.extend(keys);
            }
            _ => {}
        }
        Some(())
    }
}
