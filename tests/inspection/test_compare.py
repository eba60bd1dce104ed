"""Comparisons of models: what the table says, that the baseline is there, and that all are judged alike."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, LearningCurveDisplay
from sklearn.pipeline import make_pipeline

from skrec.datasets import make_interactions
from skrec.inspection import ComparisonDisplay, TrainingCurveDisplay, compare
from skrec.metrics import get_scorer, make_ranking_scorer, paired_permutation_test
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFRanker, PopularityRanker
from skrec.preprocessing import IDEncoder

mpl.use("Agg")
EVENTS = make_interactions(n_users=60, n_items=40, n_interactions=900, random_state=0)
MF = NCFRanker(architecture="mf", epochs=5, random_state=0)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close("all")


@pytest.fixture(scope="module")
def comparison():
    return compare({"MF": MF}, EVENTS, scoring=["ndcg@10", "coverage@10"])


def test_the_table_holds_what_the_scorer_and_the_bootstrap_say(comparison):
    train, test = next(LeaveLastOut().split(EVENTS))
    for name, model in (("MF", MF), ("popularity", PopularityRanker())):
        report = make_ranking_scorer(["ndcg@10", "coverage@10"]).evaluate(
            model.fit(EVENTS.iloc[train]), EVENTS.iloc[test]
        )
        row = comparison.table.loc[name]
        assert row["ndcg@10"] == report.metrics["ndcg@10"]
        assert (row["ndcg@10 low"], row["ndcg@10 high"]) == report.interval("ndcg@10")
        assert row["coverage@10"] == report.metrics["coverage@10"]
        assert comparison.per_user[name].equals(report.per_user)
    assert list(comparison.table.index) == ["MF", "popularity"]
    assert comparison.metrics == ["ndcg@10", "coverage@10"]
    assert comparison.protocol == "full"
    assert (comparison.table[["fit_seconds", "rank_seconds"]] > 0).all(axis=None)


def test_progress_is_shown_on_request(capsys):
    compare([PopularityRanker()], EVENTS, scoring="ndcg@5")
    assert capsys.readouterr().out == ""
    compare([PopularityRanker()], EVENTS, scoring="ndcg@5", verbose=1)
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("PopularityRanker, split 1 of 1: ndcg@5 0.")
    assert second.startswith("popularity, split 1 of 1: ndcg@5 0.")


def test_models_are_cloned():
    model = PopularityRanker()
    compare([model], EVENTS)
    assert not hasattr(model, "items_")


def test_a_difference_is_tested_user_by_user(comparison):
    values = comparison.per_user
    expected = paired_permutation_test(values["MF"]["ndcg@10"], values["popularity"]["ndcg@10"])
    assert comparison.test("MF", "popularity") == expected


def test_several_splits_are_averaged_by_user():
    half = np.arange(len(EVENTS)) % 2 == 0
    parts = [(np.flatnonzero(half), np.flatnonzero(~half)), (np.flatnonzero(~half), np.flatnonzero(half))]
    together = compare([PopularityRanker()], EVENTS, cv=parts, scoring="recall@5", baseline=False)
    scorer = get_scorer("recall@5")
    reports = [
        scorer.evaluate(PopularityRanker().fit(EVENTS.iloc[train]), EVENTS.iloc[test]).per_user for train, test in parts
    ]
    values = pd.concat(reports).groupby(level=0).mean()["recall@5"]
    pd.testing.assert_series_equal(together.per_user["PopularityRanker"]["recall@5"].sort_index(), values)
    assert together.table.loc["PopularityRanker", "recall@5"] == pytest.approx(values.mean())


def test_pipelines_searches_and_pairs():
    pipeline = make_pipeline(IDEncoder(time="timestamp").set_output(transform="pandas"), PopularityRanker())
    search = GridSearchCV(
        PopularityRanker(), {"handle_unknown": ["oov"]}, cv=LeaveLastOut(), scoring=get_scorer("ndcg@5")
    )
    table = compare([("encoded", pipeline), ("searched", search)], EVENTS, scoring="ndcg@5").table
    assert list(table.index) == ["encoded", "searched", "popularity"]
    assert table["ndcg@5"].nunique() == 1


def test_an_error_of_a_model_names_it_and_the_split():
    X = EVENTS.assign(item_id=EVENTS["item_id"].map("film {}".format))
    scoring = make_ranking_scorer("mrr@3", protocol="rerank")
    with pytest.raises(ValueError, match="could not convert string to float") as raised:
        compare({"ridge": Ridge()}, X, np.arange(len(X)) % 2, cv=3, scoring=scoring)
    assert raised.value.__notes__ == ["Raised by the model 'ridge' in split 1 of 3 of compare."]


def test_the_import_of_tensorflow_is_not_timed():
    code = (
        "import sys, skrec.inspection as i, skrec.models as m, skrec.datasets as d\n"
        "class Ranker(m.NCFRanker):\n"
        "    def fit(self, X, y=None):\n"
        "        sys.exit(0 if 'tensorflow' in sys.modules else 3)\n"
        "X = d.make_interactions(n_users=9, n_items=9, n_interactions=60, random_state=0)\n"
        "i.compare({'popularity alone': m.PopularityRanker()}, X)\n"
        "assert 'tensorflow' not in sys.modules\n"
        "i.compare({'network': Ranker()}, X)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_columns_of_the_baseline_are_those_of_the_models():
    renamed = EVENTS.rename(columns={"user_id": "who", "item_id": "what"})
    model = PopularityRanker(user="who", item="what")
    table = compare(model, renamed, cv=LeaveLastOut(user="who"), scoring="ndcg@5").table
    assert list(table.index) == ["PopularityRanker", "popularity"]
    assert table["ndcg@5"].nunique() == 1
    pd.testing.assert_frame_equal(compare(model, renamed, scoring="ndcg@5").table.iloc[:, :3], table.iloc[:, :3])


def test_rerank_takes_any_estimator_and_labels():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": np.repeat(np.arange(30), 8), "item_id": rng.integers(0, 9, 240)})
    y = (X["item_id"] > 4).astype(int)
    comparison = compare(
        {"ridge": Ridge()}, X, y, cv=3, scoring=make_ranking_scorer("mrr@3", protocol="rerank", user="user_id")
    )
    assert comparison.protocol == "rerank"
    assert comparison.table.loc["ridge", "mrr@3"] == 1.0


def test_errors_say_what_to_do(comparison):
    with pytest.raises(ValueError, match="estimators is empty"):
        compare([], EVENTS)
    with pytest.raises(ValueError, match="Two estimators are called 'PopularityRanker': name them in a dict"):
        compare([PopularityRanker(), PopularityRanker()], EVENTS)
    with pytest.raises(ValueError, match="called 'popularity'.*baseline=False"):
        compare({"popularity": MF}, EVENTS)
    with pytest.raises(TypeError, match="'x' is not an estimator: 3 has no fit method"):
        compare({"x": 3}, EVENTS)
    with pytest.raises(TypeError, match=r"'x' is the class PopularityRanker: pass an object, PopularityRanker\(\)"):
        compare({"x": PopularityRanker}, EVENTS)
    with pytest.raises(ValueError, match=r"y has 4 values, but X has 900 rows"):
        compare([MF], EVENTS, [1, 0, 1, 0])
    with pytest.raises(TypeError, match="scoring must name ranking metrics.*cross_validate"):
        compare([MF], EVENTS, scoring="accuracy")
    with pytest.raises(ValueError, match="no split"):
        compare([MF], EVENTS, cv=[])
    with pytest.raises(ValueError, match="no model 'mf': there are 'MF', 'popularity'"):
        comparison.test("mf", "popularity")
    with pytest.raises(ValueError, match="'coverage@10' has no values by user; these have: ndcg@10"):
        comparison.test("MF", "popularity", "coverage@10")
    with pytest.raises(ValueError, match="no metric 'mrr': it has ndcg@10, coverage@10"):
        ComparisonDisplay(comparison=comparison).plot(metric="mrr")


def test_the_display_plots_means_and_intervals(comparison):
    display = ComparisonDisplay(comparison=comparison).plot()
    line, _, (bars,) = display.errorbar_
    assert np.array_equal(line.get_xdata(), comparison.table["ndcg@10"][::-1])
    ends = comparison.table[["ndcg@10 low", "ndcg@10 high"]][::-1].to_numpy()
    assert np.allclose([segment[:, 0] for segment in bars.get_segments()], ends)
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["popularity", "MF"]
    assert display.ax_.get_xlabel() == "ndcg@10 (95% intervals over users)"
    assert ComparisonDisplay(comparison=comparison).plot(metric="coverage@10").ax_.get_xlabel() == "coverage@10"


def test_training_curves():
    model = NCFRanker(architecture="mf", epochs=4, early_stopping=True, random_state=0).fit(EVENTS)
    display = TrainingCurveDisplay.from_estimator(model)
    loss, scores = display.lines_
    assert np.array_equal(loss.get_ydata(), model.loss_curve_)
    assert np.array_equal(scores.get_ydata(), model.validation_scores_)
    assert display.ax_.get_xlabel() == "Epoch"
    alone = TrainingCurveDisplay.from_estimator(MF.fit(EVENTS))
    assert alone.validation_ax_ is None
    assert len(alone.lines_) == 1
    with pytest.raises(TypeError, match="PopularityRanker has no loss_curve_"):
        TrainingCurveDisplay.from_estimator(PopularityRanker().fit(EVENTS))


def test_learning_curves_are_plotted_by_scikit_learn():
    half = np.arange(len(EVENTS)) % 2 == 0
    display = LearningCurveDisplay.from_estimator(
        PopularityRanker(),
        EVENTS,
        None,
        cv=[(np.flatnonzero(half), np.flatnonzero(~half))],
        scoring=get_scorer("recall@10"),
    )
    assert np.isfinite(display.test_scores).all()
