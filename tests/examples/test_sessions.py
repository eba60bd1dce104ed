"""The session example runs from end to end; the sequence model finds what only the order of the events tells."""

import runpy
import sys
from pathlib import Path

import pytest

from skrec.datasets import make_interactions

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "sessions.py"


@pytest.mark.slow
def test_it_recommends_to_a_visitor_and_explains(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["sessions.py"])
    runpy.run_path(str(SCRIPT), run_name="__main__")

    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    scores = {line.split()[0]: float(line.split()[2]) for line in lines[:2]}
    assert scores["SASRecRanker"] > 2 * scores["PopularityRanker"]
    session = lines.index("A session of a visitor without an id: item 3; item 7")
    after = lines.index("User 500, after a click on item 11")
    # Six events of ten are with the successor of the one before.
    _, truth = make_interactions(500, 200, 15_000, sequential=0.6, random_state=0, return_truth=True)
    for start, last in ((session, 7), (after, 11)):
        assert lines[start + 1].endswith(f"item {truth.successors[last]}")
        assert f"item {last}: " in lines[start + 6]
