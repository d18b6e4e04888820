"""Plans of many documents, of which only a part is laid out as requests."""

import time

import pytest

from axolotl_augft.cli import plan as planning
from axolotl_augft.cli.plan import EntryPlan, entry_plan, plan_lines
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.prepared import prepared
from axolotl_augft.strategies import local
from axolotl_augft.teacher.answer import Answer, Outcome
from tests.support.data import LOCAL_BY_DOCUMENT, write_rows


@pytest.fixture
def recipe(cfg, tiny_model, tmp_path) -> Recipe:
    """3,000 rows, the later ones longer, every tenth one a second time, one of three units; requests of a kind share
    their examples."""
    texts = [f"The pump of house {i} is {'very ' * (i // 300)}old." for i in range(2700)]
    texts[7] = " ".join(f"House {i} has a pump, a valve, a kettle and two clocks." for i in range(9))
    rows = [{"text": t} for t in texts + texts[::9]]
    cfg["datasets"][0]["path"] = str(write_rows(tmp_path / "many.jsonl", rows))
    cfg["augft"] = {**cfg["augft"], "augment": [{**LOCAL_BY_DOCUMENT, "example_choice": "fitting", "samples": 2}]}
    cfg["augft"]["teacher"] = {**cfg["augft"]["teacher"], "model": str(tiny_model)}
    return Recipe.from_cfg(cfg)


def planned(recipe: Recipe, answers: int = 0) -> EntryPlan:
    with prepared(recipe) as ready:
        some = [r for r, _ in zip(ready.requests(), range(answers), strict=False)]
        ready.store.put([(r, Answer(Outcome.ANSWERED, "x", "stop", 9, 0, 9)) for r in some])
        return entry_plan(ready, ready.tasks.strategies[0], ready.documents.rows)


def counts(plan: EntryPlan) -> list[int]:
    return [plan.units, plan.requests]


def sample_windows_of_64(monkeypatch):
    """As if the data were 32 times as many."""
    monkeypatch.setattr(local, "_SENDING_WINDOW", 64)
    monkeypatch.setattr(planning, "_SAMPLED_UNITS", 16 * 64)


def test_a_sampled_plan_counts_exactly_and_estimates_tokens_closely(recipe, monkeypatch):
    sample_windows_of_64(monkeypatch)
    laid_out = []
    add = planning._Prompts.add
    monkeypatch.setattr(
        planning._Prompts, "add", lambda prompts, request: (laid_out.append(request), add(prompts, request))
    )
    sampled = planned(recipe)
    assert len(laid_out) < 2000
    monkeypatch.undo()
    exact = planned(recipe, answers=1)
    assert exact.answered == 1
    assert counts(sampled) == counts(exact) == [2702, 5404] and sampled.scope == "2,702 units"
    assert sampled.longest_answers == exact.longest_answers + 128
    assert sampled.prompt_tokens == pytest.approx(exact.prompt_tokens, rel=0.01)
    assert sampled.distinct_tokens == pytest.approx(exact.distinct_tokens, rel=0.1)


def test_a_sampled_plan_says_so_and_promises_no_upper_limit(cfg, recipe, monkeypatch):
    cfg["augft"]["teacher"]["price"] = {"input": 1, "output": 1}
    whole = plan_lines(Recipe.from_cfg(cfg))
    assert "of the requests" not in whole[3] and whole[4].startswith("dollars: at most $")
    sample_windows_of_64(monkeypatch)
    sampled = plan_lines(Recipe.from_cfg(cfg))
    assert "1,820 of the requests, the others taken to be like them)" in sampled[3] and sampled[4].startswith(
        "dollars: about $"
    )
    cfg["augft"]["teacher"]["model"] = "elsewhere"
    assert "not on this machine; of 1,818 of the requests" in plan_lines(Recipe.from_cfg(cfg))[3]


def test_rows_of_other_entries_do_not_thin_the_sample(cfg, recipe, monkeypatch, tmp_path):
    sample_windows_of_64(monkeypatch)
    other = {
        **cfg["datasets"][0],
        "path": str(write_rows(tmp_path / "other.jsonl", [{"text": f"Mill {i} turns."} for i in range(9000)])),
    }
    before = plan_lines(Recipe.from_cfg(cfg))[2:4]
    cfg["datasets"] = [*cfg["datasets"], other]
    cfg["augft"]["exclude"] = [other["path"]]
    assert plan_lines(Recipe.from_cfg(cfg))[2:4] == before


def test_units_that_say_the_same_are_counted_once(cfg, tmp_path):
    rows = [{"text": f"All pumps are painted red. House {i} has a pump."} for i in range(5)]
    cfg["datasets"][0]["path"] = str(write_rows(tmp_path / "same.jsonl", rows))
    cfg["augft"]["augment"] = [{"strategy": "local", "unit_tokens": 1}]
    recipe = Recipe.from_cfg(cfg)
    assert counts(planned(recipe)) == counts(planned(recipe, answers=1)) == [10, 6]


def test_chats_are_counted_by_question_and_answer(cfg, tmp_path):
    turns = [("Who runs the mill?", "Mara."), ("Who runs the mill?", "Osk."), ("Who ran it?", "Mara.")]
    rows = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]} for q, a in turns]
    cfg["datasets"] = [
        {"path": str(write_rows(tmp_path / "chats.jsonl", rows)), "ds_type": "json", "type": "chat_template"}
    ]
    cfg["augft"]["augment"] = ["local"]
    recipe = Recipe.from_cfg(cfg)
    assert counts(planned(recipe)) == counts(planned(recipe, answers=1)) == [3, 3]


def test_few_documents_are_laid_out_whole(recipe):
    sampled, exact = planned(recipe), planned(recipe, answers=1)
    assert counts(sampled) == counts(exact)
    assert sampled.prompt_tokens == pytest.approx(exact.prompt_tokens, rel=0.001)


@pytest.mark.slow
def test_five_lines_of_a_megabyte_that_are_hard_to_split_are_planned_in_time(cfg, tmp_path):
    pieces = ["“a ", "Donaudampfschifffahrt", "(([[", "<think>", "0123456789"]
    rows = [{"text": (piece * (1_000_000 // len(piece) + 1))[:1_000_000]} for piece in pieces]
    cfg["datasets"][0]["path"] = str(write_rows(tmp_path / "hard.jsonl", rows))
    start = time.process_time()
    lines = plan_lines(Recipe.from_cfg(cfg))
    assert time.process_time() - start < 20 and "documents 5" in lines
