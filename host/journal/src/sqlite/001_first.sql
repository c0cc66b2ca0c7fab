-- Every row has its place in the order of all entries: `seq`, one rising counter over all tables.
-- `body` is the entry itself as JSON; the columns beside it are for readers and constraints. Instants
-- are nanoseconds since 1970 UTC (`_ns`), with a readable column in Indian time (`_ist`); prices are
-- ten-thousandths of a rupee (`_e4`).

-- Small numbers of the journal about itself.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('last_seq', 0), ('checkpoints', 0);

CREATE TABLE intent (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    id          TEXT NOT NULL UNIQUE CHECK (length(id) = 16),
    order_id    TEXT NOT NULL CHECK (length(order_id) = 16),
    account     TEXT NOT NULL CHECK (account <> ''),
    strategy    TEXT NOT NULL,
    component   TEXT NOT NULL,
    run         TEXT NOT NULL,
    day         TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    key         TEXT NOT NULL,
    at_ns       INTEGER NOT NULL,
    send_by_ns  INTEGER,
    reason      TEXT NOT NULL,
    action      TEXT NOT NULL CHECK (action IN ('place', 'modify', 'cancel')),
    symbol      TEXT,
    side        TEXT CHECK (side IN ('buy', 'sell')),
    order_type  TEXT,
    product     TEXT,
    validity    TEXT,
    quantity    INTEGER CHECK (quantity >= 0),
    price_e4    INTEGER,
    trigger_e4  INTEGER,
    amo         INTEGER CHECK (amo IN (0, 1)),
    for_session TEXT,
    body        TEXT NOT NULL CHECK (json_valid(body)),
    at_ist      TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL,
    price_rs    REAL GENERATED ALWAYS AS (price_e4 / 10000.0) VIRTUAL,
    CHECK ((action = 'place') = (id = order_id)),
    CHECK ((action = 'place') = (symbol IS NOT NULL)),
    CHECK ((action = 'cancel') = (quantity IS NULL))
) STRICT;
CREATE INDEX intent_order ON intent (order_id);

CREATE TABLE attempt (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    account  TEXT NOT NULL,
    order_id TEXT NOT NULL,
    intent   TEXT NOT NULL,
    number   INTEGER NOT NULL CHECK (number >= 0),
    at_ns    INTEGER NOT NULL,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    at_ist   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL,
    UNIQUE (intent, number),
    FOREIGN KEY (intent) REFERENCES intent (id)
) STRICT;

CREATE TABLE evidence (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    account  TEXT NOT NULL,
    order_id TEXT NOT NULL,
    intent   TEXT NOT NULL,
    at_ns    INTEGER NOT NULL,
    source   TEXT NOT NULL,
    fact     TEXT NOT NULL CHECK (fact IN ('acked', 'refused', 'unclear', 'seen', 'filled', 'not-placed', 'parked')),
    broker_id TEXT,
    status   TEXT CHECK ((fact = 'seen') = (status IS NOT NULL)),
    quantity INTEGER CHECK (quantity >= 0),
    filled   INTEGER CHECK (filled >= 0),
    price_e4 INTEGER,
    trade_id TEXT CHECK ((fact = 'filled') = (trade_id IS NOT NULL)),
    words    TEXT,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    at_ist   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL,
    price_rs REAL GENERATED ALWAYS AS (price_e4 / 10000.0) VIRTUAL,
    FOREIGN KEY (intent) REFERENCES intent (id)
) STRICT;
CREATE INDEX evidence_order ON evidence (order_id);

CREATE TABLE ledger (
    seq         INTEGER PRIMARY KEY CHECK (seq > 0),
    account     TEXT NOT NULL CHECK (account <> ''),
    symbol      TEXT NOT NULL,
    side        TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    product     TEXT NOT NULL,
    quantity    INTEGER NOT NULL CHECK (quantity >= 0),
    price_e4    INTEGER NOT NULL,
    charges_e4  INTEGER NOT NULL,
    at_ns       INTEGER NOT NULL,
    session     TEXT NOT NULL,
    settles     TEXT NOT NULL,
    kind        TEXT NOT NULL CHECK (kind IN ('fill', 'reconciled-fill', 'adopted', 'external-sale', 'corporate-action')),
    order_id    TEXT CHECK ((kind IN ('fill', 'reconciled-fill')) = (order_id IS NOT NULL)),
    trade_id    TEXT CHECK ((kind = 'fill') = (trade_id IS NOT NULL)),
    basis       TEXT,
    body        TEXT NOT NULL CHECK (json_valid(body)),
    at_ist      TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL,
    price_rs    REAL GENERATED ALWAYS AS (price_e4 / 10000.0) VIRTUAL,
    charges_rs  REAL GENERATED ALWAYS AS (charges_e4 / 10000.0) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX ledger_fill ON ledger (order_id, account, trade_id) WHERE order_id IS NOT NULL;

-- What happened to runs, entry by entry.
CREATE TABLE run_event (
    seq     INTEGER PRIMARY KEY CHECK (seq > 0),
    run     TEXT NOT NULL,
    event   TEXT NOT NULL CHECK (event IN ('start', 'end')),
    attempt INTEGER,
    at_ns   INTEGER NOT NULL,
    outcome TEXT CHECK ((event = 'end') = (outcome IS NOT NULL)),
    body    TEXT NOT NULL CHECK (json_valid(body)),
    at_ist  TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL
) STRICT;
CREATE INDEX run_event_run ON run_event (run);

-- One row for each slot: how its run stands. Follows from run_event.
CREATE TABLE run (
    id           TEXT NOT NULL UNIQUE,
    task         TEXT NOT NULL,
    scheduled_ns INTEGER NOT NULL,
    strategy     TEXT NOT NULL,
    day          TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
    started_ns   INTEGER,
    attempts     INTEGER NOT NULL CHECK (attempts >= 0),
    ended_ns     INTEGER,
    outcome      TEXT CHECK (json_valid(outcome)),
    scheduled_ist TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', scheduled_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL,
    PRIMARY KEY (task, scheduled_ns),
    CHECK ((ended_ns IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX run_day ON run (day, scheduled_ns, task);
CREATE INDEX run_scheduled ON run (scheduled_ns, task);
CREATE INDEX run_open ON run (scheduled_ns, task) WHERE ended_ns IS NULL;

-- The last write of each key of each strategy's store.
CREATE TABLE state (
    strategy TEXT NOT NULL,
    key      TEXT NOT NULL,
    seq      INTEGER NOT NULL UNIQUE CHECK (seq > 0),
    value    BLOB NOT NULL,
    PRIMARY KEY (strategy, key)
) STRICT;

CREATE TABLE alert (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    key      TEXT NOT NULL UNIQUE,
    severity TEXT NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    source   TEXT NOT NULL,
    text     TEXT NOT NULL,
    at_ns    INTEGER NOT NULL,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    at_ist   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL
) STRICT;

CREATE TABLE delivery (
    seq     INTEGER PRIMARY KEY CHECK (seq > 0),
    alert   INTEGER NOT NULL REFERENCES alert (seq),
    channel TEXT NOT NULL,
    ok      INTEGER NOT NULL CHECK (ok IN (0, 1)),
    at_ns   INTEGER NOT NULL,
    body    TEXT NOT NULL CHECK (json_valid(body)),
    at_ist  TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL
) STRICT;
CREATE INDEX delivery_alert ON delivery (alert, ok, channel);

CREATE TABLE operator (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    action   TEXT NOT NULL CHECK (action IN ('set-trading', 'resolve', 'unquarantine')),
    trading  TEXT CHECK (trading IN ('on', 'exits-only', 'cancels-only')),
    order_id TEXT,
    strategy TEXT,
    by       TEXT NOT NULL,
    at_ns    INTEGER NOT NULL,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    at_ist   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL,
    CHECK ((action = 'set-trading') = (trading IS NOT NULL)),
    CHECK ((action = 'resolve') = (order_id IS NOT NULL))
) STRICT;
CREATE INDEX operator_trading ON operator (seq) WHERE trading IS NOT NULL;
CREATE INDEX operator_order ON operator (order_id) WHERE order_id IS NOT NULL;

CREATE TABLE quarantine (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    strategy TEXT NOT NULL,
    strikes  INTEGER NOT NULL CHECK (strikes >= 0),
    reason   TEXT,
    at_ns    INTEGER NOT NULL,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    at_ist   TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL
) STRICT;

-- Strikes that stand now. Follows from quarantine and operator.
CREATE TABLE strike (
    strategy TEXT PRIMARY KEY NOT NULL,
    strikes  INTEGER NOT NULL,
    reason   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE note (
    seq    INTEGER PRIMARY KEY CHECK (seq > 0),
    kind   TEXT NOT NULL,
    text   TEXT NOT NULL,
    at_ns  INTEGER NOT NULL,
    body   TEXT NOT NULL CHECK (json_valid(body)),
    at_ist TEXT GENERATED ALWAYS AS (strftime('%Y-%m-%dT%H:%M:%f', at_ns / 1000000000.0 + 19800, 'unixepoch')) VIRTUAL
) STRICT;

-- Which orders a replay needs. Follows from intent, evidence and ledger.
CREATE TABLE order_progress (
    order_id      TEXT PRIMARY KEY NOT NULL,
    account       TEXT NOT NULL,
    last_day      TEXT NOT NULL,
    absent        INTEGER NOT NULL DEFAULT 0 CHECK (absent IN (0, 1)),
    seen_final    INTEGER NOT NULL DEFAULT 0 CHECK (seen_final IN (0, 1)),
    seen_filled   INTEGER NOT NULL DEFAULT 0,
    ledger_filled INTEGER NOT NULL DEFAULT 0,
    done          INTEGER NOT NULL DEFAULT 0 CHECK (done IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE INDEX order_progress_open ON order_progress (account) WHERE done = 0;
CREATE INDEX order_progress_day ON order_progress (account, last_day);

-- What was written stays written.
CREATE TRIGGER intent_kept BEFORE UPDATE ON intent BEGIN SELECT RAISE(ABORT, 'intents are never changed'); END;
CREATE TRIGGER intent_stays BEFORE DELETE ON intent BEGIN SELECT RAISE(ABORT, 'intents are never deleted'); END;
CREATE TRIGGER attempt_kept BEFORE UPDATE ON attempt BEGIN SELECT RAISE(ABORT, 'attempts are never changed'); END;
CREATE TRIGGER attempt_stays BEFORE DELETE ON attempt BEGIN SELECT RAISE(ABORT, 'attempts are never deleted'); END;
CREATE TRIGGER evidence_kept BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
CREATE TRIGGER ledger_kept BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is never changed'); END;
CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is never deleted'); END;
CREATE TRIGGER run_event_kept BEFORE UPDATE ON run_event BEGIN SELECT RAISE(ABORT, 'run events are never changed'); END;
CREATE TRIGGER run_event_stays BEFORE DELETE ON run_event BEGIN SELECT RAISE(ABORT, 'run events are never deleted'); END;
CREATE TRIGGER run_stays BEFORE DELETE ON run BEGIN SELECT RAISE(ABORT, 'runs are never deleted'); END;
CREATE TRIGGER run_ended BEFORE UPDATE ON run WHEN old.ended_ns IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a run ends once'); END;
CREATE TRIGGER alert_kept BEFORE UPDATE ON alert BEGIN SELECT RAISE(ABORT, 'alerts are never changed'); END;
CREATE TRIGGER alert_stays BEFORE DELETE ON alert BEGIN SELECT RAISE(ABORT, 'alerts are never deleted'); END;
CREATE TRIGGER delivery_kept BEFORE UPDATE ON delivery BEGIN SELECT RAISE(ABORT, 'deliveries are never changed'); END;
CREATE TRIGGER delivery_stays BEFORE DELETE ON delivery BEGIN SELECT RAISE(ABORT, 'deliveries are never deleted'); END;
CREATE TRIGGER operator_kept BEFORE UPDATE ON operator BEGIN SELECT RAISE(ABORT, 'operator actions are never changed'); END;
CREATE TRIGGER operator_stays BEFORE DELETE ON operator BEGIN SELECT RAISE(ABORT, 'operator actions are never deleted'); END;
CREATE TRIGGER quarantine_kept BEFORE UPDATE ON quarantine BEGIN SELECT RAISE(ABORT, 'quarantines are never changed'); END;
CREATE TRIGGER quarantine_stays BEFORE DELETE ON quarantine BEGIN SELECT RAISE(ABORT, 'quarantines are never deleted'); END;
CREATE TRIGGER note_kept BEFORE UPDATE ON note BEGIN SELECT RAISE(ABORT, 'notes are never changed'); END;
CREATE TRIGGER note_stays BEFORE DELETE ON note BEGIN SELECT RAISE(ABORT, 'notes are never deleted'); END;
