"""Plans of many documents, of which only a part is laid out as requests."""

import pytest
from conftest import write_rows

from axolotl_augft import planning
from axolotl_augft.answers import Answer, Outcome
from axolotl_augft.planning import EntryPlan, entry_plan
from axolotl_augft.recipe import Recipe
from axolotl_augft.stage import prepared


@pytest.fixture
def recipe(cfg, tiny_model, tmp_path) -> Recipe:
    """3,000 rows, the later ones longer, every tenth one a second time, one of three units."""
    texts = [f"The pump of house {i} is {'very ' * (i // 300)}old." for i in range(2700)]
    texts[7] = " ".join(f"House {i} has a pump, a valve, a kettle and two clocks." for i in range(9))
    rows = [{"text": t} for t in texts + texts[::9]]
    cfg["datasets"][0]["path"] = str(write_rows(tmp_path / "many.jsonl", rows))
    cfg["augft"] = {**cfg["augft"], "augment": [{"strategy": "local", "samples": 2}]}
    cfg["augft"]["teacher"] = {**cfg["augft"]["teacher"], "model": str(tiny_model)}
    return Recipe.from_cfg(cfg)


def planned(recipe: Recipe, answers: int = 0) -> EntryPlan:
    with prepared(recipe) as ready:
        some = [r for r, _ in zip(ready.requests(), range(answers), strict=False)]
        ready.store.put([(r, Answer(Outcome.ANSWERED, "x", "stop", 9, 0, 9)) for r in some])
        return entry_plan(ready, *ready.plan.entries[0])


def counts(plan: EntryPlan) -> list[int]:
    return [plan.units, plan.requests, plan.groups or 0]


def test_a_sampled_plan_counts_exactly_and_estimates_tokens_closely(recipe, monkeypatch):
    monkeypatch.setattr(planning, "SENDING_WINDOW", 64)
    laid_out = []
    add = planning._Prompts.add
    monkeypatch.setattr(planning._Prompts, "add", lambda prompts, request: (laid_out.append(request), add(prompts, request)))
    sampled = planned(recipe)
    assert len(laid_out) < 2000
    monkeypatch.undo()
    exact = planned(recipe, answers=1)
    assert exact.answered == 1
    assert counts(sampled) == counts(exact) == [2702, 5404, 0]
    assert sampled.longest_answers == exact.longest_answers + 128
    assert sampled.prompt_tokens == pytest.approx(exact.prompt_tokens, rel=0.01)
    assert sampled.distinct_tokens == pytest.approx(exact.distinct_tokens, rel=0.1)


def test_few_documents_are_laid_out_whole(recipe):
    sampled, exact = planned(recipe), planned(recipe, answers=1)
    assert counts(sampled) == counts(exact)
    assert sampled.prompt_tokens == pytest.approx(exact.prompt_tokens, rel=0.001)
