-- Schema 1. Times are milliseconds since the Unix epoch, bodies are JSON.

CREATE TABLE graphs (
    seq         INTEGER PRIMARY KEY,
    fingerprint TEXT NOT NULL UNIQUE,
    body        TEXT NOT NULL
) STRICT;

-- One row per run, with what changes often and what runs are found by. What may be large lies elsewhere, because
-- every append writes this row anew. A `seq` is never used again, so that cursors stay good.
CREATE TABLE runs (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    workflow     TEXT NOT NULL,
    first_graph  INTEGER NOT NULL,
    graph        INTEGER NOT NULL,
    status       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    ended_at     INTEGER,
    position     INTEGER NOT NULL DEFAULT 0,
    last_event   INTEGER NOT NULL DEFAULT 0,
    forked_from  TEXT,
    forked_after INTEGER,
    epoch        INTEGER NOT NULL DEFAULT 0,
    owner        TEXT,
    -- When it is due, messages aside: -1 at once, NULL at no time.
    wake         INTEGER,
    aside        INTEGER NOT NULL DEFAULT 0,
    -- How many messages have no verdict.
    messages     INTEGER NOT NULL DEFAULT 0,
    -- When the oldest of its open questions was asked.
    asked_at     INTEGER,
    due          INTEGER GENERATED ALWAYS AS
                 (CASE WHEN aside THEN NULL WHEN messages > 0 THEN -1 ELSE wake END) VIRTUAL
) STRICT;

CREATE INDEX runs_due      ON runs (workflow, due) WHERE owner IS NULL AND due IS NOT NULL;
CREATE INDEX runs_owned    ON runs (owner, workflow, due) WHERE owner IS NOT NULL;
CREATE INDEX runs_inbox    ON runs (owner) WHERE owner IS NOT NULL AND messages > 0;
CREATE INDEX runs_created  ON runs (created_at);
CREATE INDEX runs_workflow ON runs (workflow, created_at);
CREATE INDEX runs_status   ON runs (status, created_at);
CREATE INDEX runs_waiting  ON runs (created_at) WHERE asked_at IS NOT NULL;
CREATE INDEX runs_ended    ON runs (workflow, ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE owners (
    owner TEXT PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE inputs (
    run  INTEGER PRIMARY KEY,
    key  TEXT NOT NULL,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE outcomes (
    run  INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE tags (
    run   INTEGER NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX tags_value ON tags (name, value, run);

CREATE TABLE questions (
    run        INTEGER NOT NULL,
    request    INTEGER NOT NULL,
    step       TEXT NOT NULL,
    prompt     TEXT NOT NULL,
    asked_at   INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (run, request)
) STRICT, WITHOUT ROWID;

CREATE INDEX questions_asked ON questions (run, asked_at);

CREATE TABLE snapshots (
    run      INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    graph    INTEGER NOT NULL,
    body     TEXT NOT NULL
) STRICT;

CREATE TABLE records (
    run      INTEGER NOT NULL,
    position INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    key      TEXT,
    graph    INTEGER,
    body     TEXT NOT NULL,
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX records_key ON records (run, key) WHERE key IS NOT NULL;

CREATE TABLE events (
    run    INTEGER NOT NULL,
    number INTEGER NOT NULL,
    tick   INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    body   TEXT NOT NULL,
    PRIMARY KEY (run, number)
) STRICT, WITHOUT ROWID;

-- Messages stay until their run is deleted: their keys and verdicts are asked for again.
CREATE TABLE inbox (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    run     INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    key     TEXT,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    -- NULL: none yet; 1: accepted; 2: refused.
    verdict INTEGER,
    reason  TEXT
) STRICT;

CREATE INDEX inbox_run ON inbox (run, verdict, id);
CREATE UNIQUE INDEX inbox_key ON inbox (run, key) WHERE key IS NOT NULL;
