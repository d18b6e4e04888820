import subprocess
import sys

import pytest

from axolotl_augft.text.bm25 import Bm25


def test_scores_say_which_text_is_nearest():
    index = Bm25([["pump", "valve"], ["valve"], ["tide"]])
    pump, valve, tide = index.scores(["pump", "never seen"])
    assert pump > 0 and valve == tide == 0
    assert list(index.scores(["never seen"])) == [0, 0, 0]


def test_a_query_s_scores_are_the_sum_of_its_tokens_rows():
    index = Bm25([["pump", "valve"], ["valve", "valve"], ["tide"]])
    rows = [index.rows[token] for token in ("valve", "tide")]
    assert index.table.toarray()[rows].sum(axis=0).tolist() == index.scores(["valve", "tide"]).tolist()


@pytest.mark.parametrize(
    ("name", "flag"), [("jax", "bm25s.selection.JAX_IS_AVAILABLE"), ("numba", "bm25s.NUMBA_AVAILABLE")]
)
def test_what_bm25s_would_load_is_left_alone(tmp_path, name, flag):
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text("raise SystemExit('it was loaded')")
    program = (
        "from axolotl_augft.text.bm25 import Bm25; Bm25([['a']]); import bm25s.selection, sys; "
        f"print({flag}, {name!r} in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={"PYTHONPATH": str(tmp_path)}, check=False
    )
    assert done.stdout.split() == ["False", "False"], done.stderr
