//! One entry, one row (and what follows from it).

use model::time::Date;
use model::{Action, Evidence, Fact, Intent, IntentId, LedgerEntry, LedgerKind, OrderId, Quantity};
use rusqlite::{Connection, OptionalExtension, ToSql, named_params};

use super::error::{cannot_write, is_duplicate, is_missing};
use super::read;
use crate::port::{
    Entry, JournalError, OperatorAction, RunEnd, RunOutcome, RunRow, RunStart, Severity, TradingState,
};
use crate::rules::{self, Progress};

type Written = Result<(), JournalError>;

/// Writes `entry` as number `seq`. False when it was dropped as a known alert and takes no number.
pub(super) fn write(connection: &Connection, seq: i64, entry: &Entry) -> Result<bool, JournalError> {
    let body = match entry {
        // Values are kept as bytes.
        Entry::State { .. } => String::new(),
        _ => serde_json::to_string(entry).map_err(|e| JournalError::Inconsistent(e.to_string()))?,
    };
    match entry {
        Entry::Intent(intent) => write_intent(connection, seq, intent, &body)?,
        Entry::Attempt { intent, number, at } => {
            let order = order_of(connection, *intent)?.ok_or_else(|| rules::missing_intent(*intent, None))?;
            insert(
                connection,
                "INSERT INTO attempt (seq, account, order_id, intent, number, at_ns, body)
                 SELECT :seq, account, order_id, id, :number, :at, :body FROM intent WHERE id = :intent AND order_id = :order",
                named_params! {
                    ":seq": seq, ":number": number, ":at": at.nanos(), ":body": body,
                    ":intent": intent.as_str(), ":order": order,
                },
            )
            .map_err(|e| refused(&e, || rules::duplicate_attempt(*intent, *number)))?;
        }
        Entry::Evidence(evidence) => write_evidence(connection, seq, evidence, &body)?,
        Entry::Ledger(line) => write_ledger(connection, seq, line, &body)?,
        Entry::RunStart(start) => write_start(connection, seq, start, &body)?,
        Entry::RunEnd(end) => write_end(connection, seq, end, &body)?,
        Entry::State { strategy, key, value: Some(value) } => {
            insert(
                connection,
                "INSERT INTO state (strategy, key, seq, value) VALUES (:strategy, :key, :seq, :value)
                 ON CONFLICT (strategy, key) DO UPDATE SET seq = excluded.seq, value = excluded.value",
                named_params! { ":strategy": strategy.as_str(), ":key": key, ":seq": seq, ":value": value },
            )
            .map_err(|e| cannot_write(&e))?;
        }
        Entry::State { strategy, key, value: None } => {
            insert(
                connection,
                "DELETE FROM state WHERE strategy = :strategy AND key = :key",
                named_params! { ":strategy": strategy.as_str(), ":key": key },
            )
            .map_err(|e| cannot_write(&e))?;
            // The one entry that leaves no row: its number must not be given out again.
            insert(
                connection,
                "UPDATE meta SET value = :seq WHERE name = 'last_seq'",
                named_params! { ":seq": seq },
            )
            .map_err(|e| cannot_write(&e))?;
        }
        Entry::Alert(alert) => {
            let rows = insert(
                connection,
                "INSERT INTO alert (seq, key, severity, source, text, at_ns, body)
                 VALUES (:seq, :key, :severity, :source, :text, :at, :body) ON CONFLICT (key) DO NOTHING",
                named_params! {
                    ":seq": seq, ":key": alert.key, ":severity": severity(alert.severity),
                    ":source": alert.source, ":text": alert.text, ":at": alert.at.nanos(), ":body": body,
                },
            )
            .map_err(|e| cannot_write(&e))?;
            return Ok(rows > 0);
        }
        Entry::Delivery { alert, channel, ok, at } => {
            insert(
                connection,
                "INSERT INTO delivery (seq, alert, channel, ok, at_ns, body)
                 VALUES (:seq, :alert, :channel, :ok, :at, :body)",
                named_params! {
                    ":seq": seq, ":alert": alert, ":channel": channel, ":ok": ok, ":at": at.nanos(), ":body": body,
                },
            )
            .map_err(|e| if is_missing(&e) { rules::missing_alert(*alert) } else { cannot_write(&e) })?;
        }
        Entry::Operator { action, by, at } => write_operator(connection, seq, action, by, at.nanos(), &body)?,
        Entry::Quarantine { strategy, strikes, reason, at } => {
            insert(
                connection,
                "INSERT INTO quarantine (seq, strategy, strikes, reason, at_ns, body)
                 VALUES (:seq, :strategy, :strikes, :reason, :at, :body)",
                named_params! {
                    ":seq": seq, ":strategy": strategy.as_str(), ":strikes": strikes, ":reason": reason,
                    ":at": at.nanos(), ":body": body,
                },
            )
            .map_err(|e| cannot_write(&e))?;
            match reason {
                Some(reason) => insert(
                    connection,
                    "INSERT INTO strike (strategy, strikes, reason) VALUES (:strategy, :strikes, :reason)
                     ON CONFLICT (strategy) DO UPDATE SET strikes = excluded.strikes, reason = excluded.reason",
                    named_params! { ":strategy": strategy.as_str(), ":strikes": strikes, ":reason": reason },
                ),
                None => clear_strikes(connection, strategy.as_str()),
            }
            .map_err(|e| cannot_write(&e))?;
        }
        Entry::Note { kind, text, at } => {
            insert(
                connection,
                "INSERT INTO note (seq, kind, text, at_ns, body) VALUES (:seq, :kind, :text, :at, :body)",
                named_params! { ":seq": seq, ":kind": kind, ":text": text, ":at": at.nanos(), ":body": body },
            )
            .map_err(|e| cannot_write(&e))?;
        }
    }
    Ok(true)
}

fn insert(connection: &Connection, sql: &str, values: &[(&str, &dyn ToSql)]) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(values)
}

/// `duplicate` when that is why, else what the error says.
fn refused(error: &rusqlite::Error, duplicate: impl FnOnce() -> JournalError) -> JournalError {
    if is_duplicate(error) { duplicate() } else { cannot_write(error) }
}

fn order_of(connection: &Connection, intent: IntentId) -> Result<Option<String>, JournalError> {
    connection
        .prepare_cached("SELECT order_id FROM intent WHERE id = ?1")
        .and_then(|mut statement| statement.query_row([intent.as_str()], |row| row.get(0)).optional())
        .map_err(|e| cannot_write(&e))
}

fn write_intent(connection: &Connection, seq: i64, intent: &Intent, body: &str) -> Written {
    let order = intent.order();
    let (terms, for_session) = match &intent.action {
        Action::Place { terms, for_session } => (Some(terms), Some(*for_session)),
        _ => (None, None),
    };
    let (action, quantity, price) = match &intent.action {
        Action::Place { terms, .. } => ("place", Some(terms.quantity), Some(terms.price)),
        Action::Modify { price, total_quantity, .. } => ("modify", Some(*total_quantity), Some(*price)),
        Action::Cancel { .. } => ("cancel", None, None),
    };
    insert(
        connection,
        "INSERT INTO intent (seq, id, order_id, account, strategy, component, run, day, key, at_ns, send_by_ns,
             reason, action, symbol, side, order_type, product, validity, quantity, price_e4, trigger_e4, amo,
             for_session, body)
         VALUES (:seq, :id, :order, :account, :strategy, :component, :run, :day, :key, :at, :send_by,
             :reason, :action, :symbol, :side, :order_type, :product, :validity, :quantity, :price, :trigger, :amo,
             :for_session, :body)",
        named_params! {
            ":seq": seq, ":id": intent.id.as_str(), ":order": order.as_str(), ":account": intent.account.as_str(),
            ":strategy": intent.strategy.as_str(), ":component": intent.component.as_str(),
            ":run": intent.run.as_str(), ":day": day(intent.day), ":key": intent.key, ":at": intent.at.nanos(),
            ":send_by": intent.send_by.map(|at| at.nanos()), ":reason": intent.reason, ":action": action,
            ":symbol": terms.map(|terms| terms.symbol.as_str()), ":side": terms.map(|terms| terms.side.as_str()),
            ":order_type": terms.map(|terms| terms.order_type.as_str()),
            ":product": terms.map(|terms| terms.product.as_str()),
            ":validity": terms.map(|terms| terms.validity.as_str()),
            ":quantity": quantity.map(Quantity::get), ":price": price.map(|price| price.units()),
            ":trigger": terms.and_then(|terms| terms.trigger).map(|price| price.units()),
            ":amo": terms.map(|terms| terms.amo), ":for_session": for_session.map(day), ":body": body,
        },
    )
    .map_err(|e| refused(&e, || rules::duplicate_intent(intent)))?;
    let last_day = for_session.map_or(intent.day, |session| session.max(intent.day));
    insert(
        connection,
        "INSERT INTO order_progress (order_id, account, last_day) VALUES (:order, :account, :last_day)
         ON CONFLICT (order_id) DO UPDATE SET last_day = max(last_day, excluded.last_day)",
        named_params! {
            ":order": order.as_str(), ":account": intent.account.as_str(), ":last_day": day(last_day),
        },
    )
    .map_err(|e| cannot_write(&e))?;
    Ok(())
}

fn write_evidence(connection: &Connection, seq: i64, evidence: &Evidence, body: &str) -> Written {
    let mut broker_id = None;
    let mut status = None;
    let mut quantity = None;
    let mut filled = None;
    let mut price = None;
    let mut trade_id = None;
    let mut words = None;
    let fact = match &evidence.fact {
        Fact::Acked { broker_id: id } => {
            broker_id = Some(id);
            "acked"
        }
        Fact::Refused { code, reason } => {
            words = Some(format!("{code}: {reason}"));
            "refused"
        }
        Fact::Unsent { why } => {
            words = Some(why.clone());
            "unsent"
        }
        Fact::Unclear { why } => {
            words = Some(why.clone());
            "unclear"
        }
        Fact::Seen {
            broker_id: id,
            status: seen,
            filled: shares,
            price: limit,
            quantity: total,
            reason,
            ..
        } => {
            (broker_id, status, filled) = (Some(id), Some(seen.as_str()), Some(shares.get()));
            (price, quantity) = (Some(limit.units()), Some(total.get()));
            words = Some(reason.clone());
            "seen"
        }
        Fact::Filled(fill) => {
            (trade_id, quantity, price) =
                (Some(&fill.trade_id), Some(fill.quantity.get()), Some(fill.price.units()));
            "filled"
        }
        Fact::NotPlaced { why } => {
            words = Some(why.clone());
            "not-placed"
        }
        Fact::Parked { why } => {
            words = Some(why.clone());
            "parked"
        }
    };
    let rows = insert(
        connection,
        "INSERT INTO evidence (seq, account, order_id, intent, at_ns, source, fact, broker_id, status, quantity,
             filled, price_e4, trade_id, words, body)
         SELECT :seq, account, order_id, id, :at, :source, :fact, :broker_id, :status, :quantity,
             :filled, :price, :trade_id, :words, :body
         FROM intent WHERE id = :intent AND order_id = :order",
        named_params! {
            ":seq": seq, ":at": evidence.at.nanos(), ":source": word(&evidence.source)?, ":fact": fact,
            ":broker_id": broker_id.map(model::BrokerOrderId::as_str), ":status": status, ":quantity": quantity,
            ":filled": filled, ":price": price, ":trade_id": trade_id, ":words": words, ":body": body,
            ":intent": evidence.intent.as_str(), ":order": evidence.order.as_str(),
        },
    )
    .map_err(|e| cannot_write(&e))?;
    if rows == 0 {
        return Err(rules::missing_intent(evidence.intent, Some(evidence.order)));
    }
    advance(connection, evidence.order, |progress| progress.learn(evidence))
}

fn write_ledger(connection: &Connection, seq: i64, line: &LedgerEntry, body: &str) -> Written {
    let (kind, order, trade_id, basis) = match &line.why {
        LedgerKind::Fill { order, trade_id } => ("fill", Some(*order), Some(trade_id), None),
        LedgerKind::ReconciledFill { order, basis } => ("reconciled-fill", Some(*order), None, Some(basis)),
        LedgerKind::Adopted { basis } => ("adopted", None, None, Some(basis)),
        LedgerKind::ExternalSale { basis } => ("external-sale", None, None, Some(basis)),
        LedgerKind::CorporateAction { basis } => ("corporate-action", None, None, Some(basis)),
    };
    insert(
        connection,
        "INSERT INTO ledger (seq, account, symbol, side, product, quantity, price_e4, charges_e4, at_ns, session,
             settles, kind, order_id, trade_id, basis, body)
         VALUES (:seq, :account, :symbol, :side, :product, :quantity, :price, :charges, :at, :session,
             :settles, :kind, :order, :trade_id, :basis, :body)",
        named_params! {
            ":seq": seq, ":account": line.account.as_str(), ":symbol": line.symbol.as_str(),
            ":side": line.side.as_str(), ":product": line.product.as_str(), ":quantity": line.quantity.get(),
            ":price": line.price.units(), ":charges": line.charges.units(), ":at": line.at.nanos(),
            ":session": day(line.session), ":settles": day(line.settles), ":kind": kind,
            ":order": order.as_ref().map(OrderId::as_str), ":trade_id": trade_id, ":basis": basis, ":body": body,
        },
    )
    .map_err(|e| match (&order, trade_id) {
        (Some(order), Some(trade_id)) => refused(&e, || rules::duplicate_fill(*order, trade_id)),
        _ => cannot_write(&e),
    })?;
    match order {
        Some(order) => advance(connection, order, |progress| progress.fill(line.quantity)),
        None => Ok(()),
    }
}

/// Changes what is known about an order, where there is one.
fn advance(connection: &Connection, order: OrderId, change: impl FnOnce(&mut Progress)) -> Written {
    let Some(mut progress) = read::progress(connection, order).map_err(|e| cannot_write(&e))? else {
        return Ok(());
    };
    change(&mut progress);
    insert(
        connection,
        "UPDATE order_progress SET absent = :absent, seen_final = :seen_final, seen_filled = :seen_filled,
             ledger_filled = :ledger_filled, done = :done WHERE order_id = :order",
        named_params! {
            ":absent": progress.absent, ":seen_final": progress.seen_final, ":seen_filled": progress.seen_filled,
            ":ledger_filled": progress.ledger_filled, ":done": progress.is_done(), ":order": order.as_str(),
        },
    )
    .map_err(|e| cannot_write(&e))?;
    Ok(())
}

fn write_start(connection: &Connection, seq: i64, start: &RunStart, body: &str) -> Written {
    let present = read::run(connection, &start.id).map_err(|e| cannot_write(&e))?;
    let row = rules::begin_run(present.as_ref(), start)?;
    put_run(connection, present.is_some(), &row)?;
    insert(
        connection,
        "INSERT INTO run_event (seq, run, event, attempt, at_ns, body) VALUES (:seq, :run, 'start', :attempt, :at, :body)",
        named_params! {
            ":seq": seq, ":run": start.id.as_str(), ":attempt": start.attempt, ":at": start.at.nanos(), ":body": body,
        },
    )
    .map_err(|e| cannot_write(&e))?;
    Ok(())
}

fn write_end(connection: &Connection, seq: i64, end: &RunEnd, body: &str) -> Written {
    let present = read::run(connection, &end.id).map_err(|e| cannot_write(&e))?;
    let row = rules::end_run(present.as_ref(), end)?;
    put_run(connection, present.is_some(), &row)?;
    let outcome = match end.outcome {
        RunOutcome::Done { .. } => "done",
        RunOutcome::Failed { .. } => "failed",
        RunOutcome::Trapped { .. } => "trapped",
        RunOutcome::Interrupted => "interrupted",
        RunOutcome::Skipped { .. } => "skipped",
        RunOutcome::Missed { .. } => "missed",
    };
    insert(
        connection,
        "INSERT INTO run_event (seq, run, event, at_ns, outcome, body) VALUES (:seq, :run, 'end', :at, :outcome, :body)",
        named_params! {
            ":seq": seq, ":run": end.id.as_str(), ":at": end.at.nanos(), ":outcome": outcome, ":body": body,
        },
    )
    .map_err(|e| cannot_write(&e))?;
    Ok(())
}

fn put_run(connection: &Connection, known: bool, row: &RunRow) -> Written {
    let outcome = row.outcome.as_ref().map(serde_json::to_string).transpose();
    let outcome = outcome.map_err(|e| JournalError::Inconsistent(e.to_string()))?;
    let sql = if known {
        "UPDATE run SET task = :task, scheduled_ns = :scheduled, strategy = :strategy, day = :day,
             started_ns = :started, attempts = :attempts, ended_ns = :ended, outcome = :outcome WHERE id = :id"
    } else {
        "INSERT INTO run (id, task, scheduled_ns, strategy, day, started_ns, attempts, ended_ns, outcome)
         VALUES (:id, :task, :scheduled, :strategy, :day, :started, :attempts, :ended, :outcome)"
    };
    insert(
        connection,
        sql,
        named_params! {
            ":id": row.id.as_str(), ":task": row.task, ":scheduled": row.scheduled.nanos(),
            ":strategy": row.strategy.as_str(), ":day": day(row.day), ":started": row.started.map(|at| at.nanos()),
            ":attempts": row.attempts, ":ended": row.ended.map(|at| at.nanos()), ":outcome": outcome,
        },
    )
    .map_err(|e| refused(&e, || rules::duplicate_slot(row)))?;
    Ok(())
}

fn write_operator(
    connection: &Connection,
    seq: i64,
    action: &OperatorAction,
    by: &str,
    at_ns: i64,
    body: &str,
) -> Written {
    let (name, trading, order, strategy) = match action {
        OperatorAction::SetTrading { state } => ("set-trading", Some(trading_name(*state)), None, None),
        OperatorAction::Resolve { order, .. } => ("resolve", None, Some(order.as_str()), None),
        OperatorAction::Unquarantine { strategy } => ("unquarantine", None, None, Some(strategy.as_str())),
    };
    insert(
        connection,
        "INSERT INTO operator (seq, action, trading, order_id, strategy, by, at_ns, body)
         VALUES (:seq, :action, :trading, :order, :strategy, :by, :at, :body)",
        named_params! {
            ":seq": seq, ":action": name, ":trading": trading, ":order": order, ":strategy": strategy,
            ":by": by, ":at": at_ns, ":body": body,
        },
    )
    .map_err(|e| cannot_write(&e))?;
    if let Some(strategy) = strategy {
        clear_strikes(connection, strategy).map_err(|e| cannot_write(&e))?;
    }
    Ok(())
}

fn clear_strikes(connection: &Connection, strategy: &str) -> rusqlite::Result<usize> {
    insert(
        connection,
        "DELETE FROM strike WHERE strategy = :strategy",
        named_params! { ":strategy": strategy },
    )
}

/// `YYYY-MM-DD`: sorts as text.
pub(super) fn day(date: Date) -> String {
    date.to_string()
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

const fn trading_name(state: TradingState) -> &'static str {
    match state {
        TradingState::On => "on",
        TradingState::ExitsOnly => "exits-only",
        TradingState::CancelsOnly => "cancels-only",
    }
}

/// The JSON name of a plain enum.
fn word(value: &impl serde::Serialize) -> Result<String, JournalError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(JournalError::Inconsistent(format!("{other} is not a name"))),
        Err(error) => Err(JournalError::Inconsistent(error.to_string())),
    }
}
