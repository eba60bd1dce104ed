"""The pitfalls example shows what its page says, on generated data."""

import re
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "pitfalls.py"


@pytest.mark.slow
def test_each_pitfall_moves_the_score(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["pitfalls.py"])
    runpy.run_path(str(SCRIPT), run_name="__main__")

    printed = capsys.readouterr()
    assert printed.err == ""
    rows = {}
    for line in printed.out.splitlines():
        if title := re.match(r"(\d)\. ", line):
            rows[title[1]] = table = {}
        elif rows and (cells := re.fullmatch(r"(.{30})((?: +[-+\d.%]+)+)", line)):
            table[cells[1].strip()] = [float(cell.rstrip("%")) for cell in cells[2].split()]
    any_event, last = rows["1"]["NCFRanker"]
    assert any_event > last
    assert rows["2"]["unknown users"][0] == 0 < rows["2"]["unknown users"][1]
    for values in list(rows["3"].values())[:5]:
        assert values[:3] == sorted(values[:3], reverse=True)
        assert values[3] == values[4]  # there are fewer than 500 items to draw
    assert [values[0] for values in rows["4"].values()] == [1.0, 1.0, 1.0]
    assert "skrec, asked for the first column: protocol='rerank' has nothing to order" in printed.out
