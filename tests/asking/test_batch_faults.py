"""Failures of a Batch API, its files and the run itself: nothing is lost, and nothing is silently paid for twice."""

import itertools
import logging
import resource
import tempfile
from collections import Counter
from contextlib import contextmanager

import pytest
from aiohttp import web

from axolotl_augft.asking.batch import BatchLimits
from axolotl_augft.asking.batch_provider import BatchProvider
from axolotl_augft.asking.budget import Budget, Limits
from axolotl_augft.errors import OutputError, TeacherError, TeacherUnreachable
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.teacher.answer import Answer, Outcome
from axolotl_augft.teacher.prices import Price
from tests.support.batch_asking import Stopped, nothing_is_left, request, requests, run, texts
from tests.support.batch_server import BatchServer
from tests.support.teacher_server import prompt_of


@pytest.fixture
def server():
    with BatchServer(answer=lambda _: "B is A.") as running:
        yield running


def sent_and_stopped(server, store, n):
    """Leaves a batch of `n` requests open."""
    server.looks = 9
    with pytest.raises(Stopped):
        run(server, requests(n), store, stop_after=1)
    server.looks = 1


def paid_once(server, n):
    server.work()
    return Counter(server.paid) == Counter(r.key.hex() for r in requests(n))


def test_a_download_that_is_cut_short_is_tried_again(server, store):
    server.cut = 2
    waits = []
    assert run(server, requests(3), store, waits=waits).answered == 3 and waits == [0.5, 1.0]
    assert len(server.batches) == 1 and nothing_is_left(store)


def test_a_download_that_is_always_cut_short_ends_the_run_and_the_batch_is_picked_up_again(server, store):
    server.cut = 3
    with pytest.raises(
        TeacherUnreachable,
        match=r"does not answer \(AnswerCutShort, 3 tries\); batches that were sent continue there: run",
    ):
        run(server, requests(3), store)
    assert run(server, requests(3), store).answered == 3 and paid_once(server, 3) and nothing_is_left(store)


@contextmanager
def little_room():
    """No file of this process may grow beyond 100 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_room_for_results_is_said_and_the_batch_is_picked_up_again(server, store):
    server.answer = lambda _: "B is A. " * 10_000
    waits = []
    with little_room(), pytest.raises(OutputError) as caught:
        run(server, requests(3), store, waits=waits)
    said = str(caught.value)
    assert said.startswith(
        f"{tempfile.gettempdir()}: results of batch batch_0 cannot be written (File too large); free some disk space"
    )
    assert "batches that were sent are picked up again" in said and waits == []
    assert run(server, requests(3), store).answered == 3 and paid_once(server, 3) and nothing_is_left(store)


def test_no_room_for_requests_is_said_before_anything_is_sent(server, store):
    some = [request(f"{i} " + "x" * 50_000) for i in range(3)]
    with little_room(), pytest.raises(OutputError, match="a file of requests cannot be written .File too large"):
        run(server, some, store)
    assert server.uploads == 0 and nothing_is_left(store)


def test_no_temporary_folder_is_said_before_anything_is_sent(server, store, monkeypatch, tmp_path):
    with (
        monkeypatch.context() as patched,
        pytest.raises(OutputError, match="a file of requests cannot be written .No such file or dir"),
    ):
        patched.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        run(server, requests(3), store)
    assert server.uploads == 0 and nothing_is_left(store)
    assert run(server, requests(3), store).answered == 3


def test_a_batch_whose_results_are_gone_is_sent_again_and_named(server, store, caplog):
    server.without_results = 3
    assert (
        run(server, requests(3), store, retries=2).answered == 3 and len(server.batches) == 2 and nothing_is_left(store)
    )
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert "file file-1 of batch batch_0 is gone from 127.0.0.1" in warning and "paid for twice" in warning


def test_results_that_are_always_gone_are_given_up(server, store):
    server.without_results = 99
    asked = run(server, requests(3), store, retries=1)
    assert dict(asked.failed) == {"batch completed": 3} and len(server.batches) == 2 and nothing_is_left(store)


def test_results_that_are_there_a_little_later_are_not_paid_for_again(server, store):
    server.without_results = 2
    assert run(server, requests(3), store).answered == 3 and paid_once(server, 3)


def test_a_batch_that_is_known_a_little_later_is_not_made_again(server, store, caplog):
    server.behind = 1
    assert run(server, requests(3), store).answered == 3 and len(server.batches) == 1 and paid_once(server, 3)
    assert not [r for r in caplog.records if r.levelno == logging.WARNING]


def test_a_batch_that_the_provider_does_not_know_any_more_is_named(server, store, caplog):
    sent_and_stopped(server, store, 3)
    server.batches.clear()
    assert run(server, requests(3), store).answered == 3
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert (
        warning.startswith("augft: batch batch_0 is no longer known at 127.0.0.1")
        and "may be paid for twice" in warning
    )


def test_at_a_wrong_address_no_batch_is_taken_for_lost(server, store):
    sent_and_stopped(server, store, 3)
    with pytest.raises(TeacherError, match="refuses a call .HTTP 404"):
        run(server, requests(3), store, path="/wrong")
    server.batches["batch_0"].looks = 1
    assert run(server, requests(3), store).answered == 3 and paid_once(server, 3) and nothing_is_left(store)


def test_a_page_in_place_of_a_file_is_one_line(store):
    class Site(BatchServer):
        def routes(self, app):
            app.router.add_post("/v1/site/files", self._page)

        async def _page(self, request):
            await request.read()
            return web.Response(text="<html>Welcome</html>", content_type="text/html")

    with (
        Site() as site,
        pytest.raises(TeacherError, match="something that is neither a file nor a batch; check augft.teacher.base_url"),
    ):
        run(site, requests(2), store, path="/site")


def dies(*_, **__):
    raise Stopped


def test_a_batch_that_was_refused_for_good_leaves_nothing(server, store, caplog):
    server.refuse_create = [400]
    with pytest.raises(TeacherError):
        run(server, requests(3), store)
    assert server.files == {} and nothing_is_left(store)
    assert run(server, requests(3), store).answered == 3
    assert not [r for r in caplog.records if r.levelno == logging.WARNING]


def test_a_tag_that_the_provider_does_not_list_is_named(server, store, monkeypatch, caplog):
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(BatchProvider, "create", dies)
        run(server, requests(3), store)
    ((tag,),) = store.rows("SELECT tag FROM batches")
    assert run(server, requests(3), store).answered == 3
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert (
        warning.startswith(f"augft: batch {tag} was about to be created")
        and "paid for twice if the batch exists after all" in warning
    )


def test_a_batch_that_was_never_made_for_sure_is_sent_without_a_warning(server, store, monkeypatch, caplog):
    with monkeypatch.context() as patched, pytest.raises(Stopped):
        patched.setattr(BatchProvider, "upload", dies)
        run(server, requests(3), store)
    assert run(server, requests(3), store).answered == 3
    assert not [r for r in caplog.records if r.levelno == logging.WARNING]


def test_a_line_that_cannot_be_read_keeps_the_files(server, store, monkeypatch):
    whole = BatchProvider.fetch

    def with_a_strange_line(provider, file_id, into, most):
        found = whole(provider, file_id, into, most)
        into.write(b"<html>\n")
        return found

    monkeypatch.setattr(BatchProvider, "fetch", with_a_strange_line)
    assert run(server, requests(3), store).answered == 3
    assert len(server.files) == 2


def test_a_proxy_is_not_taken_for_a_provider_on_this_machine(server, store, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert run(server, requests(3), store).answered == 3


def test_a_provider_elsewhere_is_asked_through_the_proxy(server, store, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.base_url.removesuffix("/v1"))
    monkeypatch.setattr(server.__class__, "base_url", "http://provider.invalid/v1")
    assert run(server, requests(3), store).answered == 3


def test_batches_that_wait_at_another_provider_are_said(server, store, caplog):
    with BatchServer(looks=9) as other, pytest.raises(Stopped):
        run(other, requests(3), store, stop_after=1)
    assert run(server, requests(3), store).answered == 3
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert warning.startswith(f"augft: batches at 127.0.0.1:{other.port} have no result yet; requests of this recipe")
    assert warning.endswith(f"sent, and paid for, at 127.0.0.1:{server.port} too")


def dies_after(patched, moment):
    """The process ends right after the n-th thing that it does to the store or asks of the provider."""
    count = itertools.count()

    def dying(method):
        def call(*args, **kwargs):
            result = method(*args, **kwargs)
            if next(count) == moment:
                raise Stopped
            return result

        return call

    for owner, names in {
        BatchProvider: ("upload", "create", "get", "fetch", "delete"),
        BatchLedger: ("begin", "sent", "move", "end"),
        ResponseStore: ("put",),
    }.items():
        for name in names:
            patched.setattr(owner, name, dying(getattr(owner, name)))


def killed_after(moment, store, monkeypatch):
    """Asks three requests in two batches, of which one expires at first; kills that and asks again.

    Whether it could be killed.
    """
    late = ["number 1"]

    def line(_, body):
        return {"code": "batch_expired"} if prompt_of(body)[-8:] in late and not late.clear() else None

    with BatchServer(line=line) as server:
        try:
            with monkeypatch.context() as patched:
                dies_after(patched, moment)
                run(server, requests(3), store, BatchLimits(requests=2))
                return False
        except Stopped:
            run(server, requests(3), store, BatchLimits(requests=2))
        assert None not in texts(store, requests(3)) and paid_once(server, 3) and nothing_is_left(store), moment
    return True


def test_whenever_the_run_is_killed_nothing_is_paid_for_twice(tmp_path, monkeypatch):
    for moment in itertools.count():
        with ResponseStore.opened(tmp_path / str(moment)) as store:
            if not killed_after(moment, store, monkeypatch):
                break
    assert moment > 20


def test_a_finished_batch_leaves_no_file_at_the_provider(server, store):
    server.line = lambda _, body: {"code": "batch_expired"} if prompt_of(body).endswith("number 2") else None
    server.fate = lambda *_: "expired"
    run(server, requests(3), store, retries=1)
    assert server.uploads == 5 and server.files == {}


def test_a_batch_that_does_not_fit_the_queue_leaves_no_file_either(server, store):
    server.codes, server.fate = ("token_limit_exceeded",), lambda _, some: "failed" if len(some) > 1 else "completed"
    assert run(server, requests(2), store).answered == 2 and server.files == {}


@pytest.mark.parametrize("status", [202, 401, 404, 500])
def test_a_refusal_to_delete_files_does_not_matter(server, store, status):
    server.deleting = status
    waits = []
    assert run(server, requests(3), store, waits=waits).answered == 3
    assert len(server.files) == 2 and waits == [] and nothing_is_left(store)


@pytest.mark.parametrize(
    "strange",
    [
        {"status_code": 200, "body": {"choices": []}},
        {"status_code": 400, "body": {"error": {"message": "unknown field"}}},
    ],
)
def test_files_of_results_that_could_not_be_used_stay_to_be_looked_at(server, store, strange):
    server.line = lambda *_: strange
    if strange["status_code"] == 400:
        with pytest.raises(TeacherError, match="calls the first 2 requests invalid"):
            run(server, requests(2), store)
    else:
        assert run(server, requests(2), store).failed.total() == 2
    assert "file-1" in server.files and nothing_is_left(store)


def test_answers_to_what_the_recipe_does_not_ask_any_more_are_stored_and_not_counted(server, store):
    sent_and_stopped(server, store, 4)
    server.batches["batch_0"].looks = 1
    late = ["number 4"]
    server.line = lambda _, body: (
        {"code": "batch_expired"} if prompt_of(body)[-8:] in late and not late.clear() else None
    )
    budget = Budget(Limits(requests=3), Price(lambda p, c, a: 7, "test"), lambda _: 0)
    one, two, new = requests(5)[0], requests(5)[1], requests(5)[4]
    asked = run(server, [one, two, new], store, budget=budget)
    assert (asked.answered, asked.spent.nanodollars, budget.reached) == (3, 21, None)
    assert [a.nanodollars for a in store.get(requests(5))] == [7] * 5 and paid_once(server, 5)


def test_an_answer_of_unknown_shape_is_not_paid_for_again_and_again(server, store):
    server.line = lambda *_: {"status_code": 200, "body": {"choices": []}}
    asked = run(server, requests(1), store, retries=6)
    assert dict(asked.failed) == {"wrong shape": 1} and len(server.paid) == 2


def test_an_answer_of_unknown_shape_counts_for_the_budget(server, store):
    server.line = lambda *_: {"status_code": 200, "body": {"choices": []}}
    budget = Budget(
        Limits(nanodollars=50_000), Price(lambda p, c, a: (p + a) * 1000, "test"), lambda _: 14
    )  # 30,000 at worst
    run(server, requests(1), store, retries=6, budget=budget)
    assert len(server.paid) == 1 and budget.reached == "max_cost_usd"


def test_a_batch_that_finds_the_queue_full_of_others_waits_for_them(server, store):
    server.codes = ("token_limit_exceeded",)
    server.fate = lambda batch, _: (
        "failed" if batch.id == "batch_1" else None if server.batches["batch_1"].status != "failed" else "completed"
    )
    assert run(server, requests(3), store, BatchLimits(requests=2)).answered == 3
    assert [len(server.requests_of(b)) for b in server.batches.values()] == [2, 1, 1] and nothing_is_left(store)


def test_as_many_batches_are_open_as_the_queue_takes(server, store):
    begun = set()

    def only_one_at_a_time(batch, _):
        if any(b.status == "in_progress" for b in server.batches.values() if b is not batch):
            return "failed"
        if batch.id in begun:
            return "completed"
        begun.add(batch.id)
        return None

    server.codes, server.fate = ("token_limit_exceeded",), only_one_at_a_time
    assert run(server, requests(8), store, BatchLimits(requests=2)).answered == 8
    assert [len(server.requests_of(b)) for b in server.batches.values()] == [2] * 7 and nothing_is_left(store)


def test_a_batch_whose_requests_were_all_answered_elsewhere_is_not_waited_for(server, store):
    sent_and_stopped(server, store, 2)
    store.put([(r, Answer(Outcome.ANSWERED, "A.")) for r in requests(2)])
    waits = []
    assert run(server, requests(3), store, waits=waits).answered == 1 and waits == [] and nothing_is_left(store)
