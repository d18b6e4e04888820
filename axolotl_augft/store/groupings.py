"""How documents were grouped -> rows of the response store, one for each context group, written and read one by one."""

import sqlite3
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

import orjson

Group = tuple[str, ...]
"""The ids of the documents of one context group."""

Pass = tuple[Group, ...]
"""The context groups of one pass over all documents."""

# New in schema 4; before, all groups of a key were one value.
ADDED_IN_4 = """
CREATE TABLE context_groups (
    key TEXT NOT NULL, pass INTEGER NOT NULL, number INTEGER NOT NULL, documents TEXT NOT NULL,
    PRIMARY KEY (key, pass, number)
) WITHOUT ROWID;
"""
MOVED_IN_4 = """
INSERT INTO context_groups SELECT g.key, p.key, c.key, c.value
    FROM groupings g, json_each(g.passes) p, json_each(p.value) c;
DROP TABLE groupings;
"""


def load(db: sqlite3.Connection, key: str) -> list[Pass]:
    """Read the passes saved under `key`, an empty list if there are none."""
    rows = db.execute("SELECT pass, documents FROM context_groups WHERE key = ? ORDER BY pass, number", [key])
    return [tuple(tuple(orjson.loads(row[1])) for row in one) for _, one in groupby(rows, key=itemgetter(0))]


def save(db: sqlite3.Connection, key: str, passes: Iterable[Iterable[Group]]) -> None:
    """Write passes in place of those saved under `key`; the caller opens and ends the transaction."""
    db.execute("DELETE FROM context_groups WHERE key = ?", [key])
    db.executemany(
        "INSERT INTO context_groups VALUES (?, ?, ?, ?)",
        (
            (key, number, place, orjson.dumps(group).decode())
            for number, groups in enumerate(passes)
            for place, group in enumerate(groups)
        ),
    )
