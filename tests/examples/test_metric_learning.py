"""The model in one file learns, and passes skrec's checks."""

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "metric_learning.py"


@pytest.mark.slow
def test_it_is_a_recommender(capsys):
    runpy.run_path(str(SCRIPT), run_name="__main__")

    printed = capsys.readouterr()
    assert printed.err == ""
    *scores, passed = printed.out.splitlines()
    popularity, learnt = (float(line.split()[-1]) for line in scores)
    assert learnt > 2 * popularity
    assert passed == "MetricLearningRanker passes check_recommender"
