//! From rows back to what was kept.

use std::sync::LazyLock;

use model::{Account, Date, OrderId, RunId, StrategyName, Timestamp};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Params, Row};
use serde::de::DeserializeOwned;

use super::write::day;
use crate::port::{AlertRow, Entry, Recorded, RunRow, TradingState};
use crate::rules::Progress;

type Read<T> = rusqlite::Result<T>;

/// The highest number given out.
pub(super) fn last_seq(connection: &Connection) -> Read<u64> {
    let last: i64 = connection.query_row(
        "SELECT max(
             (SELECT value FROM meta WHERE name = 'last_seq'),
             (SELECT coalesce(max(seq), 0) FROM intent), (SELECT coalesce(max(seq), 0) FROM attempt),
             (SELECT coalesce(max(seq), 0) FROM evidence), (SELECT coalesce(max(seq), 0) FROM ledger),
             (SELECT coalesce(max(seq), 0) FROM run_event), (SELECT coalesce(max(seq), 0) FROM state),
             (SELECT coalesce(max(seq), 0) FROM alert), (SELECT coalesce(max(seq), 0) FROM delivery),
             (SELECT coalesce(max(seq), 0) FROM operator), (SELECT coalesce(max(seq), 0) FROM quarantine),
             (SELECT coalesce(max(seq), 0) FROM note))",
        [],
        |row| row.get(0),
    )?;
    Ok(last.unsigned_abs())
}

/// What is known about an order, for [`super::write`].
pub(super) fn progress(connection: &Connection, order: OrderId) -> Read<Option<Progress>> {
    connection
        .prepare_cached(
            "SELECT absent, seen_final, seen_filled, ledger_filled FROM order_progress WHERE order_id = ?1",
        )?
        .query_row([order.as_str()], |row| {
            Ok(Progress {
                absent: row.get(0)?,
                seen_final: row.get(1)?,
                seen_filled: row.get(2)?,
                ledger_filled: row.get(3)?,
            })
        })
        .optional()
}

pub(super) fn replay(connection: &Connection, account: &Account, since: Date) -> Read<Vec<Recorded>> {
    let sql = "WITH wanted (id) AS MATERIALIZED (
             SELECT order_id FROM order_progress WHERE account = ?1 AND done = 0
             UNION SELECT order_id FROM order_progress WHERE account = ?1 AND last_day >= ?2)
         SELECT seq, body FROM intent WHERE order_id IN (SELECT id FROM wanted)
         UNION ALL SELECT seq, body FROM attempt WHERE intent IN
             (SELECT id FROM intent WHERE order_id IN (SELECT id FROM wanted))
         UNION ALL SELECT seq, body FROM evidence WHERE order_id IN (SELECT id FROM wanted)
         UNION ALL SELECT seq, body FROM ledger WHERE account = ?1
         UNION ALL SELECT seq, body FROM operator
             WHERE seq = (SELECT max(seq) FROM operator WHERE trading IS NOT NULL)
         ORDER BY seq";
    all(connection, sql, (account.as_str(), day(since)), recorded)
}

pub(super) fn trail(connection: &Connection, order: OrderId) -> Read<Vec<Recorded>> {
    let sql = "SELECT seq, body FROM intent WHERE order_id = ?1
         UNION ALL SELECT seq, body FROM attempt WHERE intent IN (SELECT id FROM intent WHERE order_id = ?1)
         UNION ALL SELECT seq, body FROM evidence WHERE order_id = ?1
         UNION ALL SELECT seq, body FROM ledger WHERE order_id = ?1
         UNION ALL SELECT seq, body FROM operator WHERE order_id = ?1
         ORDER BY seq";
    all(connection, sql, [order.as_str()], recorded)
}

pub(super) fn entries(connection: &Connection, from_seq: u64, limit: u32) -> Read<Vec<Recorded>> {
    // Each table gives at most a page: a merge of whole tables would read all of them for every page.
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let tables =
            ["intent", "attempt", "evidence", "ledger", "run_event", "alert", "delivery", "operator"]
                .into_iter()
                .chain(["quarantine", "note"]);
        let mut pages: Vec<String> = tables.map(|table| page_of("body, NULL, NULL, NULL", table)).collect();
        pages.push(page_of("NULL, strategy, key, value", "state"));
        format!("{} ORDER BY seq LIMIT ?2", pages.join(" UNION ALL "))
    });
    let from = i64::try_from(from_seq).unwrap_or(i64::MAX);
    all(connection, &SQL, (from, limit), |row| {
        if row.get_ref(1)? != rusqlite::types::ValueRef::Null {
            return recorded(row);
        }
        Ok(Recorded {
            seq: row.get::<_, i64>(0)?.unsigned_abs(),
            entry: Entry::State {
                strategy: StrategyName::from(row.get::<_, String>(2)?),
                key: row.get(3)?,
                value: row.get(4)?,
            },
        })
    })
}

fn page_of(columns: &str, table: &str) -> String {
    format!("SELECT * FROM (SELECT seq, {columns} FROM {table} WHERE seq >= ?1 ORDER BY seq LIMIT ?2)")
}

pub(super) fn trading_state(connection: &Connection) -> Read<TradingState> {
    let name: Option<String> = connection
        .prepare_cached("SELECT trading FROM operator WHERE trading IS NOT NULL ORDER BY seq DESC LIMIT 1")?
        .query_row([], |row| row.get(0))
        .optional()?;
    match name.as_deref() {
        None | Some("on") => Ok(TradingState::On),
        Some("exits-only") => Ok(TradingState::ExitsOnly),
        // The column takes no other word; what cannot be read must not trade.
        Some(_) => Ok(TradingState::CancelsOnly),
    }
}

const RUN: &str =
    "SELECT id, task, strategy, scheduled_ns, day, started_ns, attempts, ended_ns, outcome FROM run";

pub(super) fn runs(connection: &Connection, on: Date) -> Read<Vec<RunRow>> {
    let sql = format!("{RUN} WHERE day = ?1 ORDER BY scheduled_ns, task");
    all(connection, &sql, [day(on)], run_row)
}

pub(super) fn last_runs(connection: &Connection, limit: u32) -> Read<Vec<RunRow>> {
    let sql = format!("{RUN} ORDER BY scheduled_ns DESC, task DESC LIMIT ?1");
    all(connection, &sql, [limit], run_row)
}

pub(super) fn open_runs(connection: &Connection) -> Read<Vec<RunRow>> {
    let sql = format!("{RUN} WHERE ended_ns IS NULL ORDER BY scheduled_ns, task");
    all(connection, &sql, [], run_row)
}

pub(super) fn run(connection: &Connection, id: &RunId) -> Read<Option<RunRow>> {
    connection.prepare_cached(&format!("{RUN} WHERE id = ?1"))?.query_row([id.as_str()], run_row).optional()
}

pub(super) fn state_get(
    connection: &Connection,
    strategy: &StrategyName,
    key: &str,
) -> Read<Option<Vec<u8>>> {
    connection
        .prepare_cached("SELECT value FROM state WHERE strategy = ?1 AND key = ?2")?
        .query_row([strategy.as_str(), key], |row| row.get(0))
        .optional()
}

pub(super) fn state_keys(
    connection: &Connection,
    strategy: &StrategyName,
    prefix: &str,
) -> Read<Vec<String>> {
    let mut statement =
        connection.prepare_cached("SELECT key FROM state WHERE strategy = ?1 AND key >= ?2 ORDER BY key")?;
    let mut rows = statement.query([strategy.as_str(), prefix])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let key: String = row.get(0)?;
        if !key.starts_with(prefix) {
            break;
        }
        keys.push(key);
    }
    Ok(keys)
}

pub(super) fn state_size(connection: &Connection, strategy: &StrategyName) -> Read<u64> {
    let size: i64 = connection
        .prepare_cached(
            "SELECT coalesce(sum(octet_length(key) + octet_length(value)), 0) FROM state WHERE strategy = ?1",
        )?
        .query_row([strategy.as_str()], |row| row.get(0))?;
    Ok(size.unsigned_abs())
}

pub(super) fn has_alert(connection: &Connection, key: &str) -> Read<bool> {
    connection.prepare_cached("SELECT 1 FROM alert WHERE key = ?1")?.exists([key])
}

const ALERT: &str = "SELECT alert.seq, alert.body,
        (SELECT json_group_array(DISTINCT channel) FROM delivery WHERE delivery.alert = alert.seq AND ok = 1),
        (SELECT count(*) FROM delivery WHERE delivery.alert = alert.seq AND ok = 0)
    FROM alert";

pub(super) fn undelivered(connection: &Connection, channel: &str, limit: u32) -> Read<Vec<AlertRow>> {
    let sql = format!(
        "{ALERT} WHERE NOT EXISTS
             (SELECT 1 FROM delivery WHERE delivery.alert = alert.seq AND ok = 1 AND channel = ?1)
         ORDER BY alert.seq LIMIT ?2"
    );
    all(connection, &sql, (channel, limit), alert_row)
}

pub(super) fn last_alerts(connection: &Connection, limit: u32) -> Read<Vec<AlertRow>> {
    let sql = format!("{ALERT} ORDER BY alert.seq DESC LIMIT ?1");
    all(connection, &sql, [limit], alert_row)
}

pub(super) fn quarantine(connection: &Connection) -> Read<Vec<(StrategyName, u32, String)>> {
    all(connection, "SELECT strategy, strikes, reason FROM strike ORDER BY strategy", [], |row| {
        Ok((StrategyName::from(row.get::<_, String>(0)?), row.get(1)?, row.get(2)?))
    })
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Read<T>,
) -> Read<Vec<T>> {
    connection.prepare_cached(sql)?.query_map(params, read)?.collect()
}

fn recorded(row: &Row<'_>) -> Read<Recorded> {
    Ok(Recorded { seq: row.get::<_, i64>(0)?.unsigned_abs(), entry: json(row, 1)? })
}

fn run_row(row: &Row<'_>) -> Read<RunRow> {
    let day: String = row.get(4)?;
    Ok(RunRow {
        id: RunId::from(row.get::<_, String>(0)?),
        task: row.get(1)?,
        strategy: StrategyName::from(row.get::<_, String>(2)?),
        scheduled: Timestamp::from_nanos(row.get(3)?),
        day: day.parse().map_err(|e| unreadable(4, e))?,
        started: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_nanos),
        attempts: row.get(6)?,
        ended: row.get::<_, Option<i64>>(7)?.map(Timestamp::from_nanos),
        outcome: if row.get_ref(8)? == rusqlite::types::ValueRef::Null { None } else { Some(json(row, 8)?) },
    })
}

fn alert_row(row: &Row<'_>) -> Read<AlertRow> {
    let Entry::Alert(alert) = json(row, 1)? else {
        return Err(unreadable(1, "the body of an alert is another entry"));
    };
    let mut delivered: Vec<String> = json(row, 2)?;
    delivered.sort_unstable();
    Ok(AlertRow { id: row.get(0)?, alert, delivered, failures: row.get(3)? })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> Read<T> {
    let text = row.get_ref(column)?.as_str().map_err(|e| unreadable(column, e))?;
    serde_json::from_str(text).map_err(|e| unreadable(column, e))
}

fn unreadable(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, why.into())
}
