"""A round of requests is laid out once, whatever becomes of it."""

from aiohttp import web

from axolotl_augft.asking.budget import Budget
from axolotl_augft.asking.rounds import Turns
from axolotl_augft.config.recipe import Recipe
from axolotl_augft.prepared import prepared


def test_what_is_asked_is_laid_out_once(cfg, teacher):
    async def refuse_two_for_long(_, body):
        if len(teacher.bodies) <= 2:
            return web.Response(status=500)

    teacher.misbehave = refuse_two_for_long
    cfg["augft"]["augment"] = ["local"]
    cfg["augft"]["teacher"] |= {"max_retries": 0}
    recipe = Recipe.from_cfg(cfg)
    laid_out = []
    with prepared(recipe) as ready:

        def requests():
            laid_out.append("")
            for request in ready.requests():
                laid_out[-1] += "."
                yield from (request, request)

        for _ in range(2):
            with Turns(recipe, ready.teacher, ready.store, Budget.unlimited()) as turns:
                turns.of(ready.teacher).ask(requests, "augmentation")
                totals = turns.totals
            assert totals.counts.failed_tries.total() == (2 if len(laid_out) == 1 else 0)
    assert laid_out == ["." * 9] * 2
    assert totals.requests == 9 and totals.record().answered_before == 9
    assert len(teacher.bodies) == 11
    assert not [file for file in recipe.store_path.parent.iterdir() if file.name.startswith("tmp")]
