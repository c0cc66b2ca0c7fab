//! What one strategy did over all recorded runs: its orders, alerts and state, known before another version
//! is let into them.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    Date, ModifyRequest, OrderId, OrderTerms, PlaceRequest, Placed, Price, Quantity, ReadError, Status,
    Timestamp,
};
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

/// Something that was asked for an order, and what came of it.
#[derive(Debug, Clone)]
struct Asked {
    run: usize,
    act: Act,
    answer: Answered,
}

/// All of it.
#[derive(Debug, Default)]
pub struct Past {
    /// By order: at which run, and what. Only what was taken.
    pub acts: BTreeMap<OrderId, Vec<(usize, Act)>>,
    /// Of orders that were placed: day and key.
    pub keys: BTreeMap<OrderId, (Date, String)>,
    /// When each run was.
    pub instants: Vec<Timestamp>,
    /// Alerts that went out.
    pub alerts: BTreeMap<(Date, String), AlertText>,
    /// Alerts that had gone out before the recording began.
    pub alerted_before: BTreeSet<(Date, String)>,
    /// The state at the beginning, as far as it was read.
    pub state: BTreeMap<String, Option<Vec<u8>>>,
    /// Keys that the state had at the beginning.
    pub state_keys: BTreeSet<String>,
    /// All that was asked, in order, taken or not.
    asked: BTreeMap<OrderId, Vec<Asked>>,
    written: BTreeSet<String>,
}

/// Whether it was done, or may have been. A placing that the broker refused has left an order behind, a
/// change that it refused nothing; a cancellation of what had ended otherwise cancelled nothing.
pub fn taken(act: &Act, answer: &Answered) -> bool {
    match (act, answer) {
        (_, Err(Refused::Unknown(_))) | (Act::Place(_), Err(Refused::Refused { .. })) => true,
        (Act::Cancel, Ok(placed)) => placed.status == Status::Canceled || !placed.status.is_final(),
        (_, answer) => answer.is_ok(),
    }
}

impl Past {
    /// Adds the next run.
    pub fn add(&mut self, tape: &Tape) {
        for call in &tape.calls {
            // What this version cannot read tells it nothing; the replay itself will say so.
            let _ = self.call(tape, call);
        }
        self.written.extend(tape.end.state.iter().map(|(key, _)| key.clone()));
        self.instants.push(tape.now);
    }

    /// What was said when `act` was asked for the `nth` time (from 0) in this run; asked more often than
    /// then, the last again. None when the run did not ask it.
    pub fn said(&self, order: OrderId, act: &Act, run: usize, nth: usize) -> Option<&Answered> {
        let asked = self.asked.get(&order)?;
        let here = || asked.iter().filter(move |it| it.run == run && it.act == *act);
        here().nth(nth).or_else(|| here().next_back()).map(|it| &it.answer)
    }

    /// What was said to `act` in any run: how it was taken, else the last word.
    pub fn said_at_all(&self, order: OrderId, act: &Act) -> Option<&Answered> {
        let asked = self.asked.get(&order)?;
        let all = || asked.iter().filter(move |it| it.act == *act);
        all().find(|it| taken(act, &it.answer)).or_else(|| all().next_back()).map(|it| &it.answer)
    }

    fn act(&mut self, order: OrderId, act: Act, answer: Answered) {
        let run = self.instants.len();
        if taken(&act, &answer) {
            let acts = self.acts.entry(order).or_default();
            let again = match &act {
                // The same again is the same order.
                Act::Place(_) => acts.iter().any(|(_, known)| *known == act),
                _ => acts.last().is_some_and(|(_, last)| *last == act),
            };
            if !again {
                acts.push((run, act.clone()));
            }
        }
        self.asked.entry(order).or_default().push(Asked { run, act, answer });
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
                self.act(order, Act::Place(request.terms), answer);
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
