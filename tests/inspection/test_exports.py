"""The report of exports: bytes, times and ranking quality."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skrec
from skrec.datasets import make_interactions
from skrec.inspection import compare_exports
from skrec.metrics import make_ranking_scorer
from skrec.models import EASERanker, NCFRanker
from skrec.preprocessing import IDEncoder

EVENTS = make_interactions(300, 200, 6000, random_state=0)
TRAIN, TEST = EVENTS[:5000], EVENTS[5000:]


@pytest.fixture(scope="module")
def model():
    return NCFRanker(architecture="mlp", epochs=2, random_state=0).fit(TRAIN)


@pytest.fixture(scope="module")
def table(model, tmp_path_factory):
    paths = {}
    for name, options in {"float": {}, "int8": {"quantize": "int8"}, "half": {"prune": 0.5}}.items():
        paths[name] = tmp_path_factory.mktemp("exports") / name
        skrec.export(model, paths[name], **options)
    return compare_exports({"estimator": model, **paths}, TEST, n_queries=5), paths


def test_rows_and_columns(table):
    found = table[0]
    assert found.index.tolist() == ["estimator", "float", "int8", "half"]
    assert found.index.name == "export"
    assert found.columns.tolist() == ["file_bytes", "network_bytes", "p50_ms", "ndcg@10"]
    assert (found["p50_ms"] > 0).all()
    assert (found["network_bytes"] < found["file_bytes"]).all()


def test_bytes(model, table):
    found, paths = table
    weights = sum(weight.nbytes for weight in model._weights.values())
    kernels = [weight for name, weight in model._weights.items() if name.endswith("/kernel")]
    assert found.loc["estimator", "network_bytes"] == weights
    for name, path in paths.items():
        assert found.loc[name, "file_bytes"] == path.stat().st_size
    saved = found.loc["float", "network_bytes"] - found.loc["half", "network_bytes"]
    assert saved == pytest.approx(sum(kernel.size for kernel in kernels) * (2 - 1 / 8), rel=0.01)
    # What is not the network is the same in all files, up to names and headers.
    rest = (found["file_bytes"] - found["network_bytes"])[["float", "int8", "half"]]
    assert np.ptp(rest) < 10_000


def test_scores_are_those_of_the_scorer(model, table):
    found, paths = table
    scorer = make_ranking_scorer("ndcg@10")
    assert found.loc["estimator", "ndcg@10"] == scorer(model, TEST)
    assert found.loc["int8", "ndcg@10"] == scorer(skrec.serving.load(paths["int8"]), TEST)
    assert found.loc["float", "ndcg@10"] == pytest.approx(found.loc["estimator", "ndcg@10"], abs=1e-3)


def test_several_metrics_labels_and_a_scorer():
    model = EASERanker().fit(TRAIN)
    y = (np.arange(len(TEST)) % 2).astype(int)
    found = compare_exports({"EASE": model}, TEST, y, scoring=["recall@5", "mrr@5"], n_queries=2)
    scorer = make_ranking_scorer(["recall@5", "mrr@5"])
    assert found.loc["EASE", ["recall@5", "mrr@5"]].to_dict() == scorer(model, TEST, y)
    assert found.loc["EASE", "network_bytes"] == 0
    again = compare_exports({"EASE": model}, TEST, y, scoring=scorer, n_queries=2)
    assert again["mrr@5"].equals(found["mrr@5"])


def test_pipelines_and_searches(tmp_path):
    X = TRAIN.assign(user_id=TRAIN["user_id"].map("u{}".format))
    held_out = TEST.assign(user_id=TEST["user_id"].map("u{}".format))
    pipeline = make_pipeline(IDEncoder(), NCFRanker(architecture="mf", epochs=1, random_state=0)).fit(X)
    skrec.export(pipeline, tmp_path / "bundle")
    search = GridSearchCV(EASERanker(), {"l2": [10.0, 100.0]}, cv=2).fit(X)
    found = compare_exports({"a": pipeline, "b": str(tmp_path / "bundle"), "c": search}, held_out, n_queries=2)
    assert found.loc["a", "ndcg@10"] == pytest.approx(found.loc["b", "ndcg@10"], abs=1e-3)
    assert found.loc["a", "network_bytes"] > 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([EASERanker()], TEST), TypeError, "exports must be a dict"),
        (({}, TEST), ValueError, "exports is empty"),
        (({"a": EASERanker().fit(TRAIN)}, TEST[:0]), ValueError, "X is empty"),
        (({"a": "."}, TEST), IsADirectoryError, "'a' is a folder"),
        (({"a": IDEncoder().fit(TRAIN)}, TEST), TypeError, "'a' is a IDEncoder, which cannot recommend"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        compare_exports(*arguments)


@pytest.mark.parametrize("options", [{"k": 0}, {"n_queries": 0}, {"n_queries": 1.5}])
def test_numbers_below_one(options):
    with pytest.raises(ValueError, match="must be a whole number of at least 1"):
        compare_exports({"a": EASERanker().fit(TRAIN)}, TEST, **options)
