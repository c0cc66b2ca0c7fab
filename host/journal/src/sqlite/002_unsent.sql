-- A fact more: `unsent`, the broker's proof that an attempt did nothing. SQLite changes a CHECK by
-- rebuilding the table.
DROP TRIGGER evidence_kept;
DROP TRIGGER evidence_stays;
DROP INDEX evidence_order;
ALTER TABLE evidence RENAME TO evidence_before;
CREATE TABLE evidence (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    account  TEXT NOT NULL,
    order_id TEXT NOT NULL,
    intent   TEXT NOT NULL,
    at_ns    INTEGER NOT NULL,
    source   TEXT NOT NULL,
    fact     TEXT NOT NULL CHECK (fact IN ('acked', 'refused', 'unsent', 'unclear', 'seen', 'filled', 'not-placed', 'parked')),
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
INSERT INTO evidence (seq, account, order_id, intent, at_ns, source, fact, broker_id, status, quantity, filled,
        price_e4, trade_id, words, body)
    SELECT seq, account, order_id, intent, at_ns, source, fact, broker_id, status, quantity, filled,
        price_e4, trade_id, words, body
    FROM evidence_before ORDER BY seq;
DROP TABLE evidence_before;
CREATE TRIGGER evidence_kept BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is never changed'); END;
CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'evidence is never deleted'); END;
