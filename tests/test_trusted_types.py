"""trusted_types: skops and MLflow load estimators of skrec with the list that it returns, and it lists nothing else."""

import threading
from functools import partial

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import make_column_transformer
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skrec.datasets import make_interactions
from skrec.models import (
    ContentRanker,
    DINRanker,
    EASERanker,
    ItemKNNRanker,
    LightGCNRanker,
    MultVAERanker,
    NCFRanker,
    PopularityRanker,
    SASRecRanker,
    WideDeepClassifier,
)
from skrec.persistence import trusted_types
from skrec.preprocessing import AutoencoderFeatures, IDEncoder

X = make_interactions(30, 20, 300, random_state=0)
TABLE = pd.DataFrame({"job": list("abcab") * 8, "age": np.arange(40.0)})
y = np.arange(40) % 2
KINDS = X.assign(kind=(X["item_id"] % 3).astype(str))


def my_loss(logits, targets):
    return ((logits - targets) ** 2)[:, 0]


def double(table):
    return table


class MyRanker(PopularityRanker):
    """A model of the user's own."""


RANKERS = {
    "popularity": PopularityRanker(),
    "closed form": EASERanker(),
    "neighbors": ItemKNNRanker(),
    "features of items": ContentRanker(item_features=["kind"]),
    "factors": NCFRanker(epochs=1, random_state=0),
    "graph": LightGCNRanker(epochs=1, random_state=0),
    "autoencoder": MultVAERanker(epochs=1, random_state=0),
    "sequence": SASRecRanker(epochs=1, random_state=0),
    "target attention": DINRanker(epochs=1, random_state=0),
}


def assert_complete(estimator):
    """Check the list against what skops asks for, and return a copy that skops made."""
    data, names = skops.io.dumps(estimator), trusted_types(estimator)
    others = set(skops.io.get_untrusted_types(data=data)) - set(names)
    assert all(name.startswith(("sklearn.model_selection.", "sklearn.metrics.")) for name in others)
    assert not others or hasattr(estimator, "best_estimator_")
    return skops.io.loads(data, trusted=[*names, *others])


@pytest.mark.parametrize("name", RANKERS)
def test_a_ranker_comes_back_from_skops(name):
    model = RANKERS[name].fit(KINDS if name == "features of items" else X)
    users = model.users_[:5]
    assert assert_complete(model).recommend(users).equals(model.recommend(users))


def test_estimators_around_and_beside_models():
    columns = make_column_transformer((OneHotEncoder(), ["job"]), (StandardScaler(), ["age"]))
    classifier = WideDeepClassifier(epochs=1, random_state=0)
    inputs = make_column_transformer((AutoencoderFeatures(n_components=2, epochs=1, random_state=0), ["job", "age"]))
    for tool in (
        make_pipeline(columns, classifier),
        make_pipeline(inputs, classifier),
        BaggingClassifier(classifier, n_estimators=2),
        GridSearchCV(classifier, {"learning_rate": [0.01, 0.1]}, cv=2),
    ):
        table = TABLE if isinstance(tool, Pipeline) else TABLE[["age"]]
        fitted = tool.fit(table, y)
        np.testing.assert_array_equal(assert_complete(fitted).predict_proba(table), fitted.predict_proba(table))
    encoded = make_pipeline(IDEncoder(), EASERanker()).fit(X[["user_id", "item_id"]])
    assert "skrec.preprocessing._id_encoder.IDEncoder" in trusted_types(encoded)
    assert_complete(encoded)


def test_nothing_of_others_is_listed():
    model = make_pipeline(FunctionTransformer(double), NCFRanker(epochs=1, loss=my_loss)).fit(X)
    assert all(name.startswith("skrec.") for name in trusted_types(model))
    own = MyRanker().fit(X)
    assert not [name for name in trusted_types(own) if "MyRanker" in name]
    missing = skops.io.get_untrusted_types(data=skops.io.dumps(own))
    assert [name for name in missing if name not in trusted_types(own)] == [f"{__name__}.MyRanker"]


def test_what_cannot_be_pickled_by_name_is_no_obstacle():
    class Local:
        pass

    model = FunctionTransformer(lambda table: table, kw_args={"kind": Local, "f": partial(double)})
    assert trusted_types(make_pipeline(model, PopularityRanker())) == [
        "skrec.models.baselines._popularity.PopularityRanker"
    ]
    with pytest.raises(TypeError, match="lock"):
        trusted_types(FunctionTransformer(kw_args={"lock": threading.Lock()}))


def test_arrays_are_not_copied():
    import tracemalloc

    model = FunctionTransformer(kw_args={"table": np.zeros((1000, 1000))})
    tracemalloc.start()
    assert trusted_types(model) == []
    assert tracemalloc.get_traced_memory()[1] < 1e6
    tracemalloc.stop()


def test_unfitted_estimators_and_bound_methods_are_walked_too():
    encoder = IDEncoder().fit([["ana"], ["bo"]])
    names = trusted_types(FunctionTransformer(encoder.transform))
    assert {"skrec.preprocessing._id_encoder.IDEncoder.transform", "skrec.preprocessing._id_encoder.IDEncoder"} <= set(
        names
    )
    assert trusted_types(NCFRanker()) == ["skrec.models.factors._ncf.NCFRanker"]


def test_mlflow_stores_and_serves(tmp_path, monkeypatch):
    mlflow_sklearn = pytest.importorskip("mlflow.sklearn")
    pyfunc = pytest.importorskip("mlflow.pyfunc")
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    ranker = NCFRanker(epochs=1, random_state=0).fit(X)
    mlflow_sklearn.save_model(ranker, tmp_path / "ranker", skops_trusted_types=trusted_types(ranker))
    loaded = mlflow_sklearn.load_model(str(tmp_path / "ranker"))
    assert loaded.recommend(ranker.users_).equals(ranker.recommend(ranker.users_))

    columns = make_column_transformer((OneHotEncoder(), ["job"]), (StandardScaler(), ["age"]))
    pipeline = make_pipeline(columns, WideDeepClassifier(epochs=1, random_state=0)).fit(TABLE, y)
    mlflow_sklearn.save_model(pipeline, tmp_path / "pipeline", skops_trusted_types=trusted_types(pipeline))
    served = pyfunc.load_model(str(tmp_path / "pipeline"))
    np.testing.assert_array_equal(served.predict(TABLE), pipeline.predict(TABLE))
