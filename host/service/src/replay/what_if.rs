//! One strategy's recorded runs with another component or other parameters.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Date, RunId, StrategyName};
use runtime::tape::{End, Ended, Tape};
use runtime::{InlineInstance, Loaded, RunResult, STRIKES_MAX, Services};
use serde::Serialize;

use super::compare::{self, AlertRow, EndRow, OrderRow};
use super::overlay::{Overlay, Unanswered};
use super::{Loader, Past, ReplayError, patience};
use crate::recording::Folder;

/// What is asked.
pub struct Question {
    /// Whose runs.
    pub strategy: StrategyName,
    /// Another component; none: the recorded one.
    pub with: Option<Vec<u8>>,
    /// Parameters over the recorded ones.
    pub params: BTreeMap<String, String>,
    /// The last run that is had again; none: all of them.
    pub until: Option<RunId>,
}

/// What would have been different.
#[derive(Debug, Default, Serialize)]
pub struct Answer {
    /// Runs that were had again.
    pub runs: usize,
    /// Orders that differ, of one strategy after the other.
    pub orders: Vec<OrderRow>,
    /// Alerts that differ.
    pub alerts: Vec<AlertRow>,
    /// Runs that ended differently.
    pub ended: Vec<EndRow>,
    /// Runs after which a strategy would have been in quarantine.
    pub quarantined: Vec<RunId>,
    /// Reads that the recording could not answer.
    pub unanswered: Vec<Unanswered>,
}

impl Answer {
    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.orders.is_empty() && self.alerts.is_empty() && self.ended.is_empty()
    }
}

/// The tapes of one strategy on one day, at most `count` of them.
fn of(path: &Path, question: &Question, count: usize) -> Result<Vec<Tape>, ReplayError> {
    let (runs, _) = Folder::read(path)?;
    let tapes = runs.into_iter().map(|run| run.tape);
    let mut tapes: Vec<Tape> =
        tapes.filter(|tape| tape.info.origin.strategy == question.strategy).take(count).collect();
    if let Some(at) = tapes.iter().position(|tape| Some(&tape.info.id) == question.until.as_ref()) {
        tapes.truncate(at + 1);
    }
    Ok(tapes)
}

/// Lets the new version into the recorded `days`, and adds to `answer` what differs.
pub fn what_if(
    loader: &mut Loader,
    days: &[(Date, PathBuf)],
    question: &Question,
    answer: &mut Answer,
) -> Result<(), ReplayError> {
    let mut past = Past::default();
    // The service may be writing today's file: the second reading takes no more than the first has found.
    let mut counts = Vec::with_capacity(days.len());
    for (_, path) in days {
        let tapes = of(path, question, usize::MAX)?;
        tapes.iter().for_each(|tape| past.add(tape));
        counts.push(tapes.len());
    }
    let overlay = Arc::new(Overlay::new(past));
    let (mut run, mut strikes) = (0, 0);
    'days: for ((_, path), count) in days.iter().zip(counts) {
        let mut instance: Option<InlineInstance> = None;
        for tape in of(path, question, count)? {
            let loaded = load(loader, question, &tape)?;
            let mut info = tape.info.clone();
            let mut params = (*info.params).clone();
            params.extend(question.params.clone());
            info.params = Arc::new(params);
            info.origin.component = loaded.hash().clone();
            // Where the host began anew, so does the other version.
            if tape.nth == 0 {
                instance = None;
            }
            let instance = instance.get_or_insert_with(|| {
                InlineInstance::new(loaded, Arc::clone(&overlay) as Arc<dyn Services>, info.clone())
            });
            overlay.begin(run, &tape);
            let was_stopped = matches!(tape.end.ended, Ended::Stopped { .. });
            instance.allow_fuel(if was_stopped { tape.limits.fuel } else { patience(&tape.limits) });
            let outcome = instance.run(info, tape.now, &tape.cause);
            let end = End::from(&outcome);
            let is_strike = matches!(&outcome.result, RunResult::Stopped(why) if why.is_strike());
            overlay.end(&tape, outcome.state);
            answer.runs += 1;
            let outside = matches!(tape.end.ended, Ended::Stopped { outside: true, .. });
            if !outside {
                answer.ended.extend(compare::ends(&tape, &end));
            }
            run += 1;
            strikes += u32::from(is_strike && !outside);
            if strikes == STRIKES_MAX {
                // The host would have run it no more.
                answer.quarantined.push(tape.info.id.clone());
                break 'days;
            }
        }
    }
    let done = overlay.done();
    answer.orders.extend(compare::orders(&question.strategy, overlay.past(), &done));
    answer.alerts.extend(compare::alerts(&question.strategy, overlay.past(), &done));
    if done.unanswered.count > 0 {
        answer.unanswered.push(done.unanswered);
    }
    Ok(())
}

fn load(loader: &mut Loader, question: &Question, tape: &Tape) -> Result<Loaded, ReplayError> {
    match &question.with {
        None => loader.of(tape),
        Some(bytes) => loader.other(bytes, tape),
    }
}
