"""Prices, limits on dollars and requests, and what the summary says of them."""

import json
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner

from axolotl_augft import stage
from axolotl_augft.asking.budget import Budget, Limits, worst_tokens
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.round import Round
from axolotl_augft.asking.window import ask
from axolotl_augft.cli.estimate import Work, cost_lines
from axolotl_augft.cli.main import augft
from axolotl_augft.config.parsing import parse_augft
from axolotl_augft.config.teacher import TeacherConfig
from axolotl_augft.errors import ConfigError
from axolotl_augft.store.batches import BatchLedger
from axolotl_augft.store.responses import ResponseStore
from axolotl_augft.store.round_log import LoggedRound
from axolotl_augft.teacher.answer import Answer, Failure, Outcome
from axolotl_augft.teacher.client import Server
from axolotl_augft.teacher.prices import NANO, Price, find_price
from axolotl_augft.teacher.request import Prefix, Request, Sampling
from axolotl_augft.teacher.spending import Spent, Usage, dollars, usage_line
from axolotl_augft.teacher.teacher import resolve_teacher
from tests.support.asking import Quiet
from tests.support.data import LOCAL_BY_DOCUMENT
from tests.support.teacher_server import TeacherServer, prompt_of

PREFIX = Prefix("", "facts: ")
TOKEN = 1_000  # nanodollars: a dollar a million
A_DOLLAR_A_MILLION = Price(lambda prompt, cached, answer: (prompt - cached + answer) * TOKEN, "test")


def request(target="A.", max_tokens=100, extra=()):
    return Request("t", "chat", PREFIX, target, Sampling(0.0, None, max_tokens, (), 1), 0, extra)


def requests(n):
    return [request(f"number {i:02}") for i in range(n)]


def answer(prompt=10, cached=None, completion=5, outcome=Outcome.ANSWERED):
    return Answer(outcome, "x", "stop", prompt, cached, completion)


# Prices


def test_a_price_of_the_recipe():
    price = find_price(
        TeacherConfig(base_url="http://localhost:1/v1", price={"input": 2, "cached_input": 0.5, "output": 8}), "m"
    )
    assert price.cost(1000, 400, 10) == (600 * 2 + 400 * 0.5 + 10 * 8) * 1000 and price.source == "augft.teacher.price"
    whole = find_price(TeacherConfig(base_url="http://localhost:1/v1", price={"input": 2, "output": 8}), "m")
    assert whole.cost(1000, 400, 10) == (1000 * 2 + 10 * 8) * 1000


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("http://localhost:8000/v1", "gpt-4o-mini"),
        ("http://127.0.0.1:9/v1", "Qwen/Qwen3-32B"),
        ("https://api.openai.com/v1", "no-such-model"),
    ],
)
def test_a_price_that_is_not_known_is_none_and_not_zero(url, model):
    assert find_price(TeacherConfig(base_url=url), model) is None


def test_a_managed_server_has_no_list_price():
    assert find_price(TeacherConfig(model="gpt-4o-mini"), "gpt-4o-mini") is None


def test_list_prices_follow_the_address_and_halve_with_batch():
    now = find_price(TeacherConfig(base_url="https://api.openai.com/v1"), "gpt-4o-mini")
    batch = find_price(TeacherConfig(base_url="https://api.openai.com/v1", batch=True), "gpt-4o-mini")
    assert now.source == "list price of gpt-4o-mini at OpenAI" and batch.source.endswith("through its Batch API")
    assert now.cost(1_000_000, 0, 0) == 2 * batch.cost(1_000_000, 0, 0) > 0
    assert now.cost(1_000_000, 1_000_000, 0) < now.cost(1_000_000, 0, 0) and now.cost(0, 0, 1_000_000) > now.cost(
        1_000_000, 0, 0
    )
    router = find_price(TeacherConfig(base_url="https://openrouter.ai/api/v1"), "qwen/qwen3-32b")
    assert "OpenRouter" in router.source and router.cost(1_000_000, 0, 0) > 0


@pytest.mark.parametrize(
    ("url", "model"),
    [
        ("https://api.openai.com/v1", "gpt-5-mini"),  # the same at every size and time
        ("https://api.anthropic.com/v1", "claude-sonnet-4-5"),  # dearer above 200,000 tokens
        ("https://openrouter.ai/api/v1", "qwen/qwen3-32b"),  # has changed
    ],
)
def test_list_prices_are_those_of_the_list(url, model):
    from genai_prices import Usage as Listed
    from genai_prices import calc_price

    price = find_price(TeacherConfig(base_url=url), model)
    for tokens in ((1000, 0, 0), (1000, 400, 50), (300_000, 100_000, 7)):
        own = Listed(input_tokens=tokens[0], cache_read_tokens=tokens[1], output_tokens=tokens[2])
        assert price.cost(*tokens) == round(calc_price(own, model, provider_api_url=url).total_price * NANO)


def test_a_list_without_batch_prices_says_so():
    price = find_price(TeacherConfig(base_url="https://foo.openai.azure.com/openai/v1", batch=True), "gpt-5-mini")
    assert price.source.endswith(", without a batch discount, which the list does not state")


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "$0.00"), (1234.5, "$1,234.50"), (0.25, "$0.25"), (0.0123, "$0.012"), (0.00003, "$0.00003")],
)
def test_dollars_in_words(amount, text):
    assert dollars(amount) == text


# What answers cost together


def test_sums_are_null_where_nothing_is_known_and_say_what_is_missing():
    spent = Spent()
    assert spent.usage() == Usage()
    spent.add(answer(None, None, None))
    assert spent.usage() == Usage(1, None, None, None, None, 1, 1)
    assert usage_line(spent.usage()) == "teacher tokens and dollars unknown: no answer reports its usage"
    spent.add(Answer(Outcome.ANSWERED, "x", "stop", 10, 4, 5, nanodollars=2 * NANO))
    assert spent.usage() == Usage(2, 10, 4, 5, 2.0, 1, 1)
    assert usage_line(spent.usage()) == (
        "teacher tokens: 10 in (4 of them cached), 5 out; 1 answers did not report theirs; "
        "$2.00 at least (1 answers unknown)"
    )
    assert "unknown how many of them cached" in usage_line(Usage(1, 10, None, 5, None, 0, 1))


def test_a_store_adds_up_as_its_answers_do(tmp_path):
    pairs = [(request(str(i)), answer(i or None, i % 3 or None, i)) for i in range(700)]
    own = Spent()
    for _, a in pairs:
        own.add(a)
    with ResponseStore.opened(tmp_path / "s") as store:
        store.put(pairs)
        assert store.spent([r.key for r, _ in pairs] + [request("new").key]) == own and own.without_tokens == 1


# The budget


def budget(dollars_limit=None, requests_limit=None, price=A_DOLLAR_A_MILLION, tokens=100):
    return Budget(
        Limits(None if dollars_limit is None else round(dollars_limit * NANO), requests_limit), price, lambda _: tokens
    )


def test_what_is_in_flight_counts_at_its_worst():
    b = budget(500e-6)  # 500 tokens; a request is 100 + 100 at worst
    one, two, three = requests(3)
    assert b.try_admit(one) and b.try_admit(two) and not b.try_admit(three)
    assert b.reached is None
    settled = b.settle(one, answer(50, None, 10))
    assert settled.nanodollars == 60 * TOKEN
    assert b.try_admit(three) and b.reached is None
    b.settle(two, answer(100, None, 100))
    b.settle(three, answer(100, 100, 100))
    assert b.try_admit(one) is False and b.reached == "max_cost_usd"  # 60 + 200 + 100 are spent, 200 do not fit


def test_a_try_that_may_have_been_billed_stays_counted():
    b = budget(500e-6)
    one, two, three = requests(3)
    assert b.try_admit(one) and b.settle(one, Failure("HTTP 500")) == Failure("HTTP 500")
    assert b.try_admit(one) and b.settle(one, Failure("timeout")) == Failure("timeout")
    assert b.try_admit(two) and not b.try_admit(three)
    b.settle(two, answer(0, 0, 0))
    assert b.try_admit(three)
    b.settle(three, answer(50, None, 51))
    assert not b.try_admit(one) and "$0.0002 counted for tries that got no answer" in str(b.error(7))


@pytest.mark.parametrize("reason", ["HTTP 408", "HTTP 504", "HTTP 524", "connection lost"])
def test_a_time_out_on_the_way_may_have_been_billed(reason):
    b = budget(300e-6)
    assert b.try_admit(request()) and b.settle(request(), Failure(reason)) == Failure(reason)
    assert not b.try_admit(request())


def test_an_answer_without_usage_counts_at_its_worst_and_its_price_is_unknown():
    b = budget(500e-6)
    for one in requests(2):
        assert b.try_admit(one) and b.settle(one, answer(None, None, None)).nanodollars is None
    assert not b.try_admit(request()) and b.reached == "max_cost_usd"


def test_refused_requests_cost_nothing():
    b = budget(500e-6)
    assert b.try_admit(request()) and b.settle(request(), answer(None, None, None, Outcome.INVALID)).nanodollars == 0


def test_fields_of_the_body_that_lengthen_answers_are_seen():
    b = budget(500e-6)
    assert not b.try_admit(request(extra=(("max_completion_tokens", 401),)))
    b = budget(500e-6)
    assert not b.try_admit(request(extra=(("n", 5),)))


def test_prompt_tokens_are_never_underestimated():
    teacher = resolve_teacher(TeacherConfig(base_url="http://localhost:1/v1", model="not-here"), "", 1, [])
    assert worst_tokens(teacher)(request("né" * 10)) >= len(PREFIX.text) + 30
    schema = {"response_format": {"type": "json_schema", "json_schema": {"name": "x" * 500}}}
    assert worst_tokens(teacher)(request(extra=tuple(schema.items()))) >= worst_tokens(teacher)(request()) + 500


def test_stored_answers_count_and_nothing_counts_twice():
    b = budget(requests_limit=3)
    spent = Spent()
    spent.add(answer())
    b.count(spent)
    one, two, three = requests(3)
    assert b.try_admit(one) and b.try_admit(two) and not b.try_admit(three)
    b.settle(one, answer())
    b.settle(two, Failure("timeout"))
    assert b.try_admit(two)
    b.settle(two, answer())
    assert not b.try_admit(three) and b.reached == "max_requests"
    assert "augft.max_requests (3) leaves no room" in str(
        b.error(1)
    ) and "3 answers are stored, 1 requests remain" in str(b.error(1))


# With a server


def run(server, some, store, limit, concurrency=4):
    return ask(
        iter(some),
        Round(Server(server.base_url, "m", 5.0), store, Pace(concurrency, 2, sleep=_no_sleep), Quiet(), budget=limit),
    )


async def _no_sleep(_):
    pass


@pytest.mark.parametrize("concurrency", [1, 4, 64])
@pytest.mark.parametrize("most", [1, 7, 20])
def test_never_more_requests_than_allowed_and_all_answers_are_kept(store, concurrency, most):
    limit = budget(requests_limit=most, price=None)
    with TeacherServer(delay=0.005) as server:
        asked = run(server, requests(30), store, limit, concurrency)
        assert (asked.answered, len(server.bodies), limit.reached) == (most, most, "max_requests")
    assert sum(a is not None for a in store.get(requests(30))) == most


@pytest.mark.parametrize("concurrency", [1, 4, 64])
def test_never_more_dollars_than_allowed(store, concurrency):
    limit = budget(2000e-6, tokens=40)  # 2,000 tokens; at worst a request is 140
    with TeacherServer(answer=lambda body: "x" * 200, delay=0.005) as server:
        asked = run(server, requests(60), store, limit, concurrency)
        assert asked.answered == len(server.bodies)
    # A prompt of 16 characters is 4 tokens here and an answer 50: 54,000 nanodollars. The next one might have cost
    # 140,000.
    assert 2_000_000 - 140_000 < asked.spent.nanodollars <= 2_000_000 and limit.reached == "max_cost_usd"
    assert store.spent([r.key for r in requests(60)]) == asked.spent


def test_a_budget_serves_two_rounds(store):
    limit = budget(1000e-6, tokens=40)  # seven in flight at worst, so that others wait in both rounds
    with TeacherServer(answer=lambda _: "x", delay=0.005) as server:
        assert run(server, requests(20), store, limit, 20).answered == 20
        assert run(server, requests(40), store, limit, 20).answered == 20 and limit.reached is None


def test_a_limit_that_is_not_reached_changes_nothing(store):
    limit = budget(1.0, 30)
    with TeacherServer() as server:
        assert run(server, requests(30), store, limit).answered == 30 and limit.reached is None


def test_retries_count_their_worst_only_where_they_may_have_been_billed(store):
    seen = set()

    async def fails_once(_, body):
        new = prompt_of(body) not in seen
        seen.add(prompt_of(body))
        return web.Response(status=503) if new else None

    limit = budget(requests_limit=5, price=None)
    with TeacherServer(misbehave=fails_once) as server:
        assert run(server, requests(9), store, limit).answered == 5
        assert len(server.bodies) >= 10


# The whole stage


@pytest.fixture
def recipe(cfg, tmp_path):
    cfg["augft"]["augment"] = [LOCAL_BY_DOCUMENT]

    def written(**augft_keys):
        teacher_keys = augft_keys.pop("teacher", {})
        changed = {
            **cfg,
            "augft": {**cfg["augft"], **augft_keys, "teacher": {**cfg["augft"]["teacher"], **teacher_keys}},
        }
        path = tmp_path / "cfg.yml"
        path.write_text(yaml.safe_dump(changed))
        return str(path)

    return written


def call(*args):
    return CliRunner().invoke(augft, list(args))


def the_run(tmp_path: Path) -> dict:
    (note,) = (tmp_path / "prepared" / "augft" / "recipes").glob("*.json")
    return json.loads(note.read_text())["run"]


PRICE = {"price": {"input": 1, "output": 10}}


def test_a_run_that_a_limit_ended_goes_on_with_a_higher_one(recipe, teacher, tmp_path):
    stopped = call("run", recipe(max_requests=2, teacher=PRICE))
    assert stopped.exit_code == 1 and len(teacher.bodies) == 2
    (line,) = [line for line in stopped.output.splitlines() if line.startswith("Error")]
    assert "augft.max_requests (2) leaves no room for another request; $" in line
    assert "2 answers are stored, 4 requests remain: raise augft.max_requests and run again to continue" in line
    again = call("run", recipe(max_requests=2, teacher=PRICE))
    assert again.exit_code == 1 and len(teacher.bodies) == 2 and "$0.00 of it in this run" in again.output
    assert call("run", recipe(max_requests=6, teacher=PRICE)).exit_code == 0 and len(teacher.bodies) == 6
    run = the_run(tmp_path)
    assert (run["asked"], run["answered_before"], run["usage"]["answers"], run["all_runs"]["answers"]) == (4, 2, 4, 6)
    tokens = [len(prompt_of(b)) // 4 for b in teacher.bodies]
    assert run["all_runs"]["prompt_tokens"] == sum(tokens) and run["usage"]["prompt_tokens"] == sum(tokens[2:])
    assert run["all_runs"]["dollars"] == pytest.approx((sum(tokens) + 10 * run["all_runs"]["completion_tokens"]) / 1e6)
    assert run["usage"]["cached_tokens"] is None and run["usage"]["without_dollars"] == 0
    report = call("report", recipe(teacher=PRICE)).output
    assert "all runs: teacher tokens: " in report and f"{dollars(run['all_runs']['dollars'])}\n" in report


def test_dollars_are_a_limit_over_all_runs(recipe, teacher, tmp_path):
    whole = 6 * (512 * 10 + 3000)  # tokens of a dollar a million: more than six answers can cost
    first = call("run", recipe(max_cost_usd=9e-3, teacher=PRICE))
    assert first.exit_code == 1 and "augft.max_cost_usd (0.009) leaves no room" in first.output
    asked = len(teacher.bodies)
    assert 1 <= asked < 6
    assert call("run", recipe(max_cost_usd=9e-3, teacher=PRICE)).exit_code == 1 and len(teacher.bodies) == asked
    assert call("run", recipe(max_cost_usd=whole / 1e6, teacher=PRICE)).exit_code == 0 and len(teacher.bodies) == 6


def test_verdicts_count_too(recipe, teacher):
    stopped = call("run", recipe(max_requests=8, verify="teacher"))
    assert stopped.exit_code == 1 and len(teacher.bodies) == 8 and "8 answers are stored" in stopped.output
    again = call("run", recipe(max_requests=9, verify="teacher"))
    assert again.exit_code == 1 and len(teacher.bodies) == 9


def test_stored_verdicts_count_before_anything_is_asked(recipe, teacher, data):
    call("run", recipe(max_requests=8, verify="teacher"))
    with data.open("a") as file:
        file.write(json.dumps({"text": "The Tern is a boat.", "n": 7}) + "\n")
    assert call("run", recipe(max_requests=8, verify="teacher")).exit_code == 1 and len(teacher.bodies) == 8


@pytest.mark.parametrize(("verify", "counted"), [({}, [False, False]), ({"verify": "teacher"}, [False, True])])
def test_only_stored_answers_of_several_rounds_are_counted_ahead(recipe, teacher, monkeypatch, verify, counted):
    titles, count = [], stage.count_requests

    def counting(*given):
        titles.append(given)
        return count(*given)

    monkeypatch.setattr(stage, "count_requests", counting)
    found = []
    for most in (3, 4):
        assert call("run", recipe(max_requests=most, **verify)).exit_code == 1 and len(teacher.bodies) == most
        found.append(bool(titles))
    assert found == counted


def test_a_limit_on_dollars_needs_a_price(recipe, teacher):
    result = call("run", recipe(max_cost_usd=1))
    assert result.exit_code == 1 and teacher.bodies == []
    assert (
        "augft.max_cost_usd is set, but no price is known for scripted at 127.0.0.1:" in result.output
        and "augft.teacher.price" in result.output
    )


def test_unknown_dollars_are_null(recipe, tmp_path):
    call("run", recipe())
    assert call("report", recipe()).output.count("dollars unknown") == 1
    assert the_run(tmp_path)["usage"]["dollars"] is None and the_run(tmp_path)["all_runs"]["prompt_tokens"] > 0


def test_a_limit_or_a_price_does_not_make_a_finished_result_anew(recipe, teacher):
    assert call("run", recipe()).exit_code == 0
    assert call("run", recipe(max_requests=1, teacher=PRICE)).exit_code == 0 and len(teacher.bodies) == 6


def test_batch_through_the_whole_stage(recipe, cfg):
    from tests.support.batch_server import BatchServer

    with BatchServer() as server:
        cfg["augft"]["teacher"]["base_url"] = server.base_url
        assert "a day for each round of batches" in call("plan", recipe(teacher={"batch": True})).output
        assert call("run", recipe(teacher={"batch": True})).exit_code == 0
        assert len(server.batches) == 1 and server.bodies == []
        assert "nothing is measured yet" in call("plan", recipe(augment=[{"strategy": "local", "samples": 2}])).output


# The plan


def test_the_plan_names_dollars_and_time_before_anything_is_spent(recipe, teacher):
    output = call("plan", recipe(max_cost_usd=0.001, teacher=PRICE)).output
    assert "dollars: at most $0.0" in output and "the run ends at $0.001 (max_cost_usd) (augft.teacher.price)" in output
    assert "time: about " in output and "assuming that each of 64 requests in flight gets 30 tokens/s" in output
    assert teacher.bodies == []
    unknown = call("plan", recipe()).output
    assert "dollars: unknown (no price is known for scripted at 127.0.0.1:" in unknown
    call("run", recipe(max_requests=2, teacher=PRICE))
    later = call("plan", recipe(teacher=PRICE)).output
    assert "; spent so far: $0.0" in later and "as measured in this teacher's last runs" in later
    call("run", recipe(teacher=PRICE))
    assert "dollars: nothing more; spent so far: $0.0" in call("plan", recipe(teacher=PRICE)).output


def lines(work, runs=(), augft_keys=None, **teacher_keys):
    config = parse_augft(
        {"teacher": {"base_url": "http://localhost:1/v1", "model": "m", **teacher_keys}, **(augft_keys or {})}
    )
    return cost_lines(work, resolve_teacher(config.teacher, "", 1, []), config, runs)


def test_dollars_and_time_of_the_plan():
    known = Spent()
    known.add(answer(100, None, 50))
    work = Work.of(
        requests=1000, prompt_tokens=2_000_000, distinct_tokens=500_000, longest_answers=512_000, spent=known
    )
    price = {"input": 1, "cached_input": 0.1, "output": 10}
    money, time = lines(work, price=price)
    # 2.0 + 5.12; 0.5 + 1.5 * 0.1 + 1000 * 50 tokens * 10
    assert money == (
        "dollars: at most $7.12 (nothing cached, answers at their longest); $1.15 with shared prefixes cached and "
        "answers as long as "
        "those so far (augft.teacher.price); spent so far: unknown"
    )
    assert time.startswith(
        "time: about 4 min (assuming that each of 64 requests in flight gets 30 tokens/s"
    )  # 512,000 / 1,920
    ran = LoggedRound("2026-01-01T00:00:00+00:00", "m", 10, 10, 2.0, 1000, 0)
    assert (
        lines(work, [ran], price=price)[1]
        == "time: about 2 min (500 tokens/s of answers, as measured in this teacher's last runs)"
    )
    assert lines(work, [ran], requests_per_minute=10)[1].startswith("time: about 1 h 40 min")
    assert lines(work, [ran], tokens_per_minute=1000)[1].startswith("time: about 34 h 10 min")
    assert (
        lines(Work(), [ran], {"verify": "teacher"})[1]
        == "  (not counted: verification by m, two or three short requests a statement and up to 350 for planted "
        "slips; several times as many if it gives no log-probabilities)"
    )
    asked_more = lines(Work(), [ran], {"verify": {"contradictions": True}})[1]
    assert "slips; up to four a kept statement and 200 a strategy for contradictions; several" in asked_more


# The settings


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"max_cost_usd": 0}, "augft.max_cost_usd: input should be greater than 0, got 0"),
        ({"max_requests": 0}, "augft.max_requests"),
        ({"max_cost_usd": float("inf")}, "augft.max_cost_usd"),
        ({"teacher": {"price": {"input": 1}}}, "augft.teacher.price.output"),
        ({"teacher": {"price": {"input": -1, "output": 1}}}, "augft.teacher.price.input"),
        ({"teacher": {"batch": True}}, "augft.teacher: batch needs base_url"),
        ({"teacher": {"serve_command": ["llama-server"]}}, "augft.teacher.serve_command: must hold {port}"),
        (
            {"teacher": {"serve_command": ["s", "{port}"], "base_url": "http://localhost:1/v1"}},
            "serve_command is a server of its own",
        ),
        ({"teacher": {"serve_command": ["s", "{port}", "--api-key=sk-0123456"]}}, "looks like a secret"),
        ({"teacher": {"backend": "vllm", "base_url": "http://localhost:1/v1"}}, "base_url is for backend endpoint"),
    ],
)
def test_settings_that_cannot_work(keys, message):
    with pytest.raises(ConfigError) as caught:
        parse_augft(keys)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_batch_without_its_library_says_what_to_install(recipe, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "openai" else real(name, *rest)
    )
    result = call("run", recipe(teacher={"batch": True}))
    assert result.exit_code == 1 and "install it with `pip install 'axolotl-augft[batch]'`" in result.output


def test_a_run_without_batch_warns_of_batches_that_wait(recipe, teacher, tmp_path, caplog):
    with ResponseStore.opened(tmp_path / "prepared" / "augft" / "responses.sqlite") as store:
        BatchLedger(store, f"127.0.0.1:{teacher.port}").begin([request()])
    assert call("run", recipe()).exit_code == 0
    assert (
        f"1 batches at 127.0.0.1:{teacher.port} have no result yet; their requests are sent, and paid for, once more"
        in caplog.text
    )
