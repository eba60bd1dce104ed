"""The tuning example runs from end to end, in all its three ways."""

import re
import runpy
import sys
from pathlib import Path

import optuna
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "tuning.py"


@pytest.mark.slow
def test_three_ways_come_to_a_good_model(monkeypatch, capsys):
    pytest.importorskip("optuna_integration")
    verbosity = optuna.logging.get_verbosity()
    monkeypatch.setattr(sys, "argv", ["tuning.py"])
    try:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    finally:
        optuna.logging.set_verbosity(verbosity)

    lines = capsys.readouterr().out.splitlines()
    assert "3,000 events, 10 candidates, over learning_rate, l2, embedding_dim" in lines
    for way in ("OptunaSearchCV", "optuna-integration", "an objective by hand"):
        (line,) = [line for line in lines if line.startswith(way)]
        score, pruned = re.search(r"NDCG@10 (\S+)  pruned +(\d+)", line).groups()
        assert float(score) > 0.6
        assert (int(pruned) > 0) is not way.startswith("optuna-")
    assert lines[-7].split() == ["user_id", "item_id", "score", "rank"]
