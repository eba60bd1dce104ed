"""The quickstart reads the tables that users have, and runs from end to end."""

import importlib.util
import sys
from argparse import Namespace
from pathlib import Path

import pandas as pd
import pytest

import skrec
from skrec.datasets import make_interactions

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "quickstart.py"


@pytest.fixture(scope="module")
def quickstart():
    spec = importlib.util.spec_from_file_location("quickstart", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def events():
    return pd.DataFrame({"user_id": ["ana", "bo", "ana"], "item_id": [7, 7, 9], "timestamp": [30, 10, 20]})


def _options(path, **columns):
    return Namespace(
        **{"data": path, "movielens": "100k", **dict.fromkeys(("user", "item", "time", "title")), **columns}
    )


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.csv", lambda table, path: table.to_csv(path, index=False)),
        ("a.csv.gz", lambda table, path: table.to_csv(path, index=False)),
        ("a.tsv", lambda table, path: table.to_csv(path, index=False, sep="\t")),
        ("a.parquet", lambda table, path: table.to_parquet(path)),
    ],
)
def test_formats(quickstart, events, tmp_path, name, write):
    write(events, tmp_path / name)
    X, titles = quickstart.load(_options(tmp_path / name))
    pd.testing.assert_frame_equal(X, events, check_dtype=False)
    assert titles == {}


@pytest.mark.parametrize(
    "names",
    [("userId", "movieId", "Timestamp"), ("Customer-ID", "sku", "created_at"), ("UID", "ASIN", "unixReviewTime")],
)
def test_usual_names_are_found(quickstart, events, tmp_path, names, capsys):
    table = events.set_axis(names, axis=1).assign(price=1.0, Title=["Up", "Up", "Heat"])[
        ["price", "Title", *names[::-1]]
    ]
    table.to_csv(tmp_path / "a.csv", index=False)
    X, titles = quickstart.load(_options(tmp_path / "a.csv"))
    pd.testing.assert_frame_equal(X, events, check_dtype=False)
    assert titles == {7: "Up", 9: "Heat"}
    assert f"user: {names[0]}, item: {names[1]}, time: {names[2]}, title: Title" in capsys.readouterr().out


def test_columns_by_name_dates_and_gaps(quickstart, tmp_path, capsys):
    table = pd.DataFrame(
        {
            "buyer": ["ana", "bo", None, "cy"],
            "thing": [1, 2, 3, 4],
            "seen": ["2024-03-01T10:00:00+02:00", "2024-03-01T00:00:00Z", "2024-03-02T00:00:00Z", None],
        }
    )
    table.to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(
        ValueError, match="No column looks like the user; name it with --user. The columns are buyer, thing"
    ):
        quickstart.load(_options(tmp_path / "a.csv"))
    with pytest.raises(ValueError, match=r"--user buyr: there is no such column; did you mean 'buyer'\?"):
        quickstart.load(_options(tmp_path / "a.csv", user="buyr"))
    with pytest.raises(ValueError, match="--item xyz: there is no such column; it has buyer, thing, seen"):
        quickstart.load(_options(tmp_path / "a.csv", user="buyer", item="xyz"))

    X, _ = quickstart.load(_options(tmp_path / "a.csv", user="buyer", item="thing"))
    assert X.columns.tolist() == ["user_id", "item_id"]
    capsys.readouterr()
    X, _ = quickstart.load(_options(tmp_path / "a.csv", user="buyer", item="thing", time="seen"))
    assert X["user_id"].tolist() == ["ana", "bo"]
    assert X["timestamp"].tolist() == [pd.Timestamp("2024-03-01 08:00"), pd.Timestamp("2024-03-01")]
    assert "Left out   2 rows without a user, an item or a time" in capsys.readouterr().out


def test_movielens_has_titles(quickstart, real_data):
    X, titles = quickstart.load(_options(real_data / "ml-100k"))
    assert X.columns.tolist() == ["user_id", "item_id", "timestamp"]
    assert titles[1] == "Toy Story (1995)"


@pytest.mark.parametrize("path", ["nowhere.csv", "folder"])
def test_errors_are_one_line(quickstart, tmp_path, monkeypatch, path):
    (tmp_path / "folder").mkdir()
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--data", str(tmp_path / path)])
    with pytest.raises(SystemExit, match=rf"quickstart\.py: .*{path}"):
        quickstart.main()


@pytest.mark.slow
def test_it_runs_from_a_table_to_a_saved_model(quickstart, tmp_path, monkeypatch, capsys):
    X = make_interactions(60, 30, 1_500, n_groups=3, ids="str", random_state=0)
    X.drop_duplicates(["user_id", "item_id"]).to_csv(tmp_path / "events.csv", index=False)
    output = tmp_path / "model.skrec"
    monkeypatch.setattr(sys, "argv", ["quickstart.py", "--data", str(tmp_path / "events.csv"), "--output", str(output)])
    quickstart.main()

    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    scores = {line[:24].strip(): float(line.split()[-4]) for line in lines if line.startswith(("Popularity", "NCF"))}
    assert list(scores) == ["PopularityRanker", "NCFRanker: NeuMF", "NCFRanker: MF, tuned"]
    assert sum(line.startswith("User u") for line in lines) == 3
    assert sum(line.startswith("  * ") for line in lines) == 1
    assert f"Saved to {output}" in lines[-1]
    assert printed.err == ""
    assert len(skrec.load(output).recommend(["u01"], k=3)) == 3
