import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import orjson
import pytest

from axolotl_augft.errors import StoreError
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.request import Prefix, Request, Sampling

PREFIX = Prefix("be brief", "facts: ")
ANSWER = Answer(Outcome.ANSWERED, "B is A.", "stop", 10, None, 4)


def request(target="A is B.", teacher="t", sample=0, **sampling):
    values = {"temperature": 0.7, "top_p": None, "max_tokens": 9, "stop": ("###",), "seed": 42 + sample, **sampling}
    return Request(teacher, "chat", PREFIX, target, Sampling(**values), sample)


def test_key_is_stable():
    assert request().key.hex() == "e0cc1ab76cb8f4bb454d4d84b5f95bee8386714300e40c9a95068887ede66a1f"


@pytest.mark.parametrize(
    "other",
    [
        request("A is C."),
        request(teacher="u"),
        request(sample=1),
        request(temperature=0.1),
        request(max_tokens=8),
        request(stop=()),
        Request("t", "completions", PREFIX, "A is B.", request().sampling, 0),
        Request("t", "chat", Prefix("be long", "facts: "), "A is B.", request().sampling, 0),
        Request("t", "chat", PREFIX, "A is B.", request().sampling, 0, (("top_k", 3),)),
    ],
)
def test_key_changes_with_everything_that_changes_the_answer(other):
    assert other.key != request().key


def test_answers_outlive_the_process(tmp_path):
    path = tmp_path / "deep" / "responses.sqlite"
    refused = Answer(Outcome.FILTERED, finish_reason="content_filter")
    with ResponseStore.opened(path) as store:
        store.put([(request(), ANSWER), (request("x"), refused)])
        store.put([(request(), Answer(Outcome.ANSWERED, "something else"))])
    with ResponseStore.opened(path) as store:
        assert store.get([request("y"), request("x"), request(), request()]) == [None, refused, ANSWER, ANSWER]
        assert store.forget([request("y").key, request().key], [Outcome.FILTERED, Outcome.INVALID]) == 0
        assert store.forget([request("x").key, request().key], [Outcome.FILTERED, Outcome.INVALID]) == 1
        assert store.get([request("x")]) == [None]
    assert sqlite3.connect(path).execute("SELECT system, text FROM prefixes").fetchall() == [("be brief", "facts: ")]


def test_more_answers_than_one_query_takes(tmp_path):
    requests = [request(str(i)) for i in range(1203)]
    with ResponseStore.opened(tmp_path / "s") as store:
        store.put([(r, Answer(Outcome.ANSWERED, r.target)) for r in requests])
        assert [a.text for a in store.get(requests[::-1])] == [r.target for r in requests[::-1]]


def test_a_second_process_reads_while_one_writes(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as one, ResponseStore.opened(tmp_path / "s") as two:
        one.put([(request(), ANSWER)])
        assert two.get([request()]) == [ANSWER]
        two.put([(request("x"), ANSWER)])
        assert one.get([request("x")]) == [ANSWER]


def test_what_was_known_of_a_teacher_is_remembered(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as store:
        assert store.load_teacher("t") is None
        store.save_teacher("t", {"api": "chat", "exact": False})
    with ResponseStore.opened(tmp_path / "s") as store:
        assert store.load_teacher("t") == {"api": "chat", "exact": False}


def test_groupings_are_remembered(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as store:
        assert store.load_grouping("k") == []
        store.save_grouping("k", [(("a", "b"), ("c",))])
        store.save_grouping("other", [(("c",),)])
        store.save_grouping("k", [(("a",), ("b", "c")), (("c", "b", "a"),)])
    with ResponseStore.opened(tmp_path / "s") as store:
        assert store.load_grouping("k") == [(("a",), ("b", "c")), (("c", "b", "a"),)]
        assert store.load_grouping("other") == [(("c",),)]


def _foreign(path):
    sqlite3.connect(path).execute("CREATE TABLE t (x)").connection.commit()


def _newer(path):
    with ResponseStore.opened(path):
        pass
    sqlite3.connect(path).execute("PRAGMA user_version = 99")


def _text(path):
    path.write_text("not a database, and long enough to have a header of its own " * 20)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_foreign, "is not a response store"),
        (_newer, "written by a newer version"),
        (_text, "not a response store"),
        (lambda p: p.mkdir(), "cannot be opened"),
    ],
)
def test_a_file_that_is_no_store_of_ours_is_refused_and_kept(tmp_path, make, message):
    path = tmp_path / "s"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreError) as caught, ResponseStore.opened(path):
        pass
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_full_disk_loses_nothing_and_says_what_to_do(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as store:
        store.put([(request(), ANSWER)])
        store._writer.execute("PRAGMA max_page_count = 20")
        big = [(request(str(i)), Answer(Outcome.ANSWERED, "x" * 9000)) for i in range(40)]
        with pytest.raises(
            StoreError, match="full.*free some disk space and run again. Every answer stored so far is kept"
        ):
            store.put(big)
        assert store.get([request()]) == [ANSWER]
        store._writer.execute("PRAGMA max_page_count = 100000")
        store.put(big)
        assert store.get([big[39][0]]) == [big[39][1]]


def test_reasoning_is_kept_where_asked_and_goes_with_its_answer(tmp_path):
    with ResponseStore.opened(tmp_path / "s") as store:
        store.put(
            [
                (request("x"), replace(ANSWER, reasoning="hm")),
                (request("y"), replace(ANSWER, reasoning="")),
                (request("z"), ANSWER),
            ]
        )
        assert [a.reasoning for a in store.get([request("x"), request("y"), request("z")])] == ["hm", None, None]
        store.forget([request(x).key for x in "xyz"], [Outcome.ANSWERED])
        assert store.get([request("x")]) == [None]
    assert sqlite3.connect(tmp_path / "s").execute("SELECT count(*) FROM reasonings").fetchone() == (0,)


def test_what_is_missing_and_what_is_there(tmp_path):
    requests = [request(str(i)) for i in range(1203)]
    refused = Answer(Outcome.FILTERED)
    with ResponseStore.opened(tmp_path / "s") as store:
        assert store.is_empty and store.missing(requests) == requests
        store.put([(r, refused if i % 3 else ANSWER) for i, r in enumerate(requests[:900])])
        assert not store.is_empty
        assert store.missing([requests[1200], *requests, requests[1200]]) == [
            requests[1200],
            *requests[900:1200],
            *requests[1201:],
        ]
        found = store.spent_by_outcome([r.key for r in requests])
        assert {o: (s.answers, s.prompt_tokens) for o, s in found.items()} == {
            Outcome.ANSWERED: (300, 3000),
            Outcome.FILTERED: (600, 0),
        }


@pytest.mark.parametrize("api", ["chat", "completions"])
@pytest.mark.parametrize("system", ["", 'be "brief"\n'])
def test_the_body_that_is_sent_is_the_whole_body(api, system):
    asked = Request(
        "t", api, Prefix(system, 'facts:\n"Ünï\t'), 'A is "B".\\ 港', request().sampling, 0, (("top_k", 3),)
    )
    assert orjson.loads(asked.encoded(asked.settings("m"))) == asked.body("m")


def test_prefixes_are_written_though_none_is_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("axolotl_augft.store.responses._REMEMBERED_PREFIXES", 1)
    requests = [Request("t", "chat", Prefix("", f"facts {i % 5}"), str(i), request().sampling, 0) for i in range(20)]
    with ResponseStore.opened(tmp_path / "s") as store:
        for r in requests:
            store.put([(r, ANSWER)])
    assert sqlite3.connect(tmp_path / "s").execute("SELECT count(*) FROM prefixes").fetchone() == (5,)


VERSION_1 = """
CREATE TABLE prefixes (digest BLOB PRIMARY KEY, system TEXT NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE responses (
    key BLOB PRIMARY KEY, prefix BLOB NOT NULL, target TEXT NOT NULL,
    outcome TEXT NOT NULL, text TEXT NOT NULL, finish_reason TEXT NOT NULL,
    prompt_tokens INTEGER, cached_tokens INTEGER, completion_tokens INTEGER
) WITHOUT ROWID;
CREATE TABLE teachers (id TEXT PRIMARY KEY, known TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE groupings (key TEXT PRIMARY KEY, passes TEXT NOT NULL) WITHOUT ROWID;
PRAGMA application_id = 0x41554746; PRAGMA user_version = 1;
"""


def test_a_store_of_version_1_keeps_its_answers(tmp_path):
    old = sqlite3.connect(tmp_path / "s")
    old.executescript(VERSION_1)
    old.execute("INSERT INTO groupings VALUES ('k', ?)", ['[[["a","b"],["c"]],[["a"],["b","c"]]]'])
    row = [request().key, PREFIX.digest, "A is B.", "answered", "B is A.", "stop", 10, None, 4]
    old.execute("INSERT INTO responses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    old.commit()
    for _ in range(2):
        with ResponseStore.opened(tmp_path / "s") as store:
            assert store.get([request()]) == [ANSWER] and store.spent([request().key]).without_dollars == 1
            assert store.load_grouping("k") == [(("a", "b"), ("c",)), (("a",), ("b", "c"))]
            store.put([(request("x"), replace(ANSWER, nanodollars=7, reasoning="hm"))])
            assert store.get([request("x")]) == [replace(ANSWER, nanodollars=7, reasoning="hm")]


OPENER = """
import sys
from pathlib import Path
from axolotl_augft.store.responses import ResponseStore

print("ready", flush=True)
for line in sys.stdin:
    with ResponseStore.opened(Path(line.strip())):
        pass
    print("opened", flush=True)
"""


@pytest.mark.parametrize("made", ["", VERSION_1])
def test_processes_that_make_or_upgrade_a_store_at_the_same_time(tmp_path, made):
    openers = [
        subprocess.Popen(
            [sys.executable, "-c", OPENER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    assert [o.stdout.readline() for o in openers] == ["ready\n"] * 3
    for i in range(8):
        with closing(sqlite3.connect(tmp_path / str(i))) as old:
            old.executescript(made)
        for opener in openers:
            opener.stdin.write(f"{tmp_path / str(i)}\n")
            opener.stdin.flush()
        assert [o.stdout.readline() for o in openers] == ["opened\n"] * 3
    assert [o.communicate() for o in openers] == [("", "")] * 3
    with closing(sqlite3.connect(tmp_path / "0")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (4,) and db.execute(
            "PRAGMA journal_mode"
        ).fetchone() == ("wal",)


def _garbage(path, start, end):
    content = bytearray(path.read_bytes())
    content[start:end] = b"\xff" * (min(end, len(content)) - start)
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: _garbage(p, 100, 4096),
        lambda p: _garbage(p, 4096, 1 << 20),
        lambda p: p.write_bytes(p.read_bytes()[:5000]),
        lambda p: p.write_bytes(p.read_bytes()[:100]),
    ],
)
def test_a_damaged_store_is_said_to_be_damaged(tmp_path, damage):
    path = tmp_path / "s"
    with ResponseStore.opened(path) as store:
        store.put([(request(str(i)), ANSWER) for i in range(300)])
    damage(path)
    with pytest.raises(StoreError, match=r"response store .*: the file is damaged .*restore a copy") as caught:
        with ResponseStore.opened(path) as store:
            store.get([request(str(i)) for i in range(300)])
            store.load_teacher("t")
            store.load_grouping("k")
    assert "\n" not in str(caught.value)


def test_the_store_and_its_neighbours_are_for_their_owner_only(tmp_path):
    from axolotl_augft.store.lock import AskingLock

    with ResponseStore.opened(tmp_path / "s") as store, AskingLock(tmp_path / "s", "t", 1) as lock:
        store.put([(request(), ANSWER)])
        lock.wait()
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    assert len(modes) >= 3 and set(modes.values()) == {0o600}
