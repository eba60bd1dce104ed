"""Exported models: what they answer, without TensorFlow, is what the estimators answer."""

import contextlib
import json
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, OrdinalEncoder, StandardScaler

import skrec
from skrec.models import (
    DCNClassifier,
    DCNRanker,
    DINRanker,
    EASERanker,
    FMRegressor,
    ItemKNNRanker,
    NCFClassifier,
    NCFRanker,
    SASRecRanker,
    WideDeepClassifier,
)
from skrec.preprocessing import AutoencoderFeatures, IDEncoder
from skrec.serving import ServedPipeline
from skrec.serving.graphs import Graphs
from skrec.testing import all_estimators
from skrec.testing._case import Case

RANDOM = np.random.default_rng(0)


def world(n=900):
    """Rows with all kinds of columns: ids, a time, features of items and of the context, texts and lists."""
    genres, cities = np.array(["a|b", "b", "c|a", "", "d"]), np.array(["Bern", "Rome", None], dtype=object)
    item = RANDOM.integers(0, 40, n)
    return pd.DataFrame(
        {
            "user_id": [f"u{code}" for code in RANDOM.integers(0, 30, n)],
            "item_id": item + 500,
            "timestamp": np.sort(RANDOM.integers(10**9, 10**9 + 10**6, n)),
            "genres": genres[item % 5],
            "price": np.where(item % 7 == 0, np.nan, item * 1.5),
            "city": cities[RANDOM.integers(0, 3, n)],
            "hour": RANDOM.integers(0, 24, n),
        }
    )


EVENTS = world()
CLICKS = (RANDOM.random(len(EVENTS)) < 0.4).astype(int)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.bundle"


def exported(model, file, **options):
    skrec.export(model, file, **options)
    return skrec.serving.load(file)


def assert_close(left, right, tolerance=1e-5):
    """Compare answers: numbers up to rounding, ids exactly but for items of equal scores."""
    if isinstance(left, pd.DataFrame):
        assert left.columns.tolist() == right.columns.tolist()
        for name in left:
            if name == "score" or left[name].dtype.kind == "f":
                assert_close(left[name].to_numpy(), right[name].to_numpy(), tolerance)
        named = [name for name in left if left[name].dtype.kind != "f"]
        differ = (left[named] != right[named]).any(axis=1)
        ties = np.zeros(len(left), bool)
        if "score" in left:
            gaps = np.abs(np.diff(left["score"], prepend=np.inf, append=-np.inf))
            ties = np.minimum(gaps[:-1], gaps[1:]) < tolerance
        assert (ties | ~differ).all()
    elif isinstance(left, list):
        for one, other in zip(left, right, strict=True):
            assert_close(one, other, tolerance)
    elif np.asarray(left).dtype.kind == "f":
        np.testing.assert_allclose(right, left, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(left, right)


def answers(model, X, users):
    """What a model answers by all methods that serve."""
    found = {"predict": model.predict(X)}
    if hasattr(model, "predict_proba"):
        found["predict_proba"] = model.predict_proba(X)
    if hasattr(model, "recommend") and hasattr(model, "items_"):
        items = model.items_
        lists = [list(items[: at % 4 + 1]) for at in range(len(users))]
        found["recommend"] = model.recommend(users, k=5)
        found["one"] = model.recommend(users[:1], k=5, exclude_seen=False)
        found["candidates"] = model.recommend(users, k=3, candidates=items[:9])
        found["lists"] = model.score_items(users, candidates=lists)
        found["new"] = model.recommend(["a new user" if isinstance(users[0], str) else -1], k=4)
        with contextlib.suppress(AttributeError):
            found["similar"] = model.similar_items(items[:3], k=4)
    return found


TABLES = tuple(
    f"{name}{task}"
    for name in ("AutoInt", "DCN", "DNN", "DeepFM", "FM", "NFM", "WideDeep")
    for task in ("Classifier", "Regressor")
)


def all_kinds():
    marks = {"DINRegressor", "DINClassifier", "RecVAERanker", "SASRecRanker", "AutoIntClassifier", "AutoIntRegressor"}
    return [
        pytest.param(cls, id=name, marks=[pytest.mark.exhaustive] if name in marks else [])
        for name, cls in all_estimators(["classifier", "regressor", "ranker"])
    ]


@pytest.mark.parametrize("cls", all_kinds())
def test_every_model_answers_the_same(cls, file):
    case = Case(cls())
    few = {"epochs": 1, "random_state": 0, "max_iter": 1000}
    if cls.__name__ == "ContentRanker":
        case.X = case.X.assign(kind=case.X["item_id"] % 3)
    if cls.__name__.startswith(TABLES):
        case.X = case.X.assign(item_id=case.X["item_id"].astype("category"))
    X = case.X
    model = case.fit(**{name: value for name, value in few.items() if name in cls().get_params()})
    served = exported(model, file)
    expected, got = answers(model, X, case.users), answers(served, X, case.users)
    assert expected.keys() == got.keys()
    for name in expected:
        assert_close(expected[name], got[name])


@pytest.mark.parametrize(("name", "cls"), all_estimators("transformer"))
def test_every_transformer_answers_the_same(name, cls, file):
    X = (
        EVENTS[["user_id", "item_id", "timestamp"]]
        if name == "HistoryEncoder"
        else EVENTS[["genres", "city"]].fillna("")
    )
    if name in {"IDEncoder", "GraphFeatures"}:
        X = EVENTS[["item_id"]]
    edges = pd.DataFrame({"source": [500, 501, 502], "target": [501, 502, 503]})
    of_name = {"AutoencoderFeatures": {"epochs": 1, "random_state": 0}, "GraphFeatures": {"graph": edges}}
    parameters = of_name.get(name, {})
    transformer = cls(**parameters).fit(X)
    served = exported(transformer, file)
    left, right = transformer.transform(X), served.transform(X)
    if hasattr(left, "toarray"):
        left, right = left.toarray(), right.toarray()
    assert_close(np.asarray(left), np.asarray(right))


@pytest.mark.parametrize(
    "model",
    [
        DCNRanker(epochs=1, item_features=["genres", "price"], multivalued_features=["genres"], random_state=0),
        DINRanker(epochs=1, item_features=["genres", "price"], random_state=0),
        pytest.param(SASRecRanker(epochs=1, random_state=0), marks=pytest.mark.exhaustive),
    ],
    ids=lambda model: type(model).__name__,
)
def test_features_histories_and_new_items(model, file):
    columns = list(EVENTS) if not isinstance(model, SASRecRanker) else ["user_id", "item_id", "timestamp"]
    X = EVENTS[columns]
    model.fit(X)
    served = exported(model, file)
    queries = X.iloc[-5:].drop(columns=["item_id", "genres", "price"], errors="ignore")
    assert_close(model.predict(X), served.predict(X))
    assert_close(model.recommend(queries, k=6), served.recommend(queries, k=6))
    if hasattr(model, "append_history"):
        more = X.iloc[:3].assign(user_id="new", timestamp=2 * 10**9)
        model.append_history(more)
        served.append_history(more)
        assert_close(model.recommend(["new", "u3"], k=6), served.recommend(["new", "u3"], k=6))
        past = [list(served.items_[:4]), [], list(served.items_[3:9])]
        if not isinstance(model, DINRanker):
            assert_close(model.recommend(history=past, k=6), served.recommend(history=past, k=6))
        about = pd.DataFrame({"user_id": ["new"], "item_id": [505]})
        if hasattr(model, "explain") and isinstance(model, SASRecRanker):
            assert_close(model.explain(about), served.explain(about))
    else:
        new = pd.DataFrame({"item_id": [999, 500], "genres": ["d|a", "a|b"], "price": [3.0, np.nan]})
        assert_close(model.recommend(queries, candidates=new), served.recommend(queries, candidates=new))


def test_sparse_rows(file):
    from scipy import sparse

    X = sparse.random_array((300, 50), density=0.1, format="csr", rng=np.random.default_rng(1))
    model = FMRegressor(epochs=1, random_state=0).fit(X, RANDOM.random(300))
    assert_close(model.predict(X), exported(model, file).predict(X))


def pipelines():
    ids = ["user_id", "item_id"]
    encoders = ColumnTransformer(
        [("ids", IDEncoder(), ids), ("hour", KBinsDiscretizer(4, encode="ordinal", subsample=None), ["hour"])],
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    numbers = make_column_transformer(
        (StandardScaler(), ["hour"]), (OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["city", "genres"])
    )
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).set_output(transform="pandas")
    few = {"epochs": 1, "random_state": 0}
    features = AutoencoderFeatures(n_components=3, **few)
    mixed = Pipeline([("columns", encoders), ("model", DCNRanker(**few))])
    return {
        "ids and closed form": (make_pipeline(IDEncoder(), ItemKNNRanker()), ids, None),
        "ids and network": (make_pipeline(IDEncoder(), NCFRanker(**few)), ids, None),
        "columns and network": (mixed, [*ids, "hour"], None),
        "numbers and classes": (make_pipeline(numbers, DCNClassifier(**few)), ["hour", "city", "genres"], CLICKS),
        "autoencoder": (make_pipeline(features, WideDeepClassifier(**few)), ["genres", "city"], CLICKS),
        "ordinal": (make_pipeline(ordinal, NCFClassifier(**few)), ids, CLICKS),
    }


@pytest.mark.parametrize("name", pipelines())
def test_pipelines(name, file):
    pipeline, columns, y = pipelines()[name]
    X = EVENTS[columns].fillna({"city": ""})
    pipeline.fit(X, y)
    served = exported(pipeline, file)
    assert_close(pipeline.predict(X), served.predict(X))
    if y is not None:
        assert_close(pipeline.predict_proba(X), served.predict_proba(X))
    if "user_id" in columns and name != "ordinal":
        assert isinstance(served, ServedPipeline)
        users = ["u3", "u4", "nobody"]
        assert_close(skrec.recommend(pipeline, users, 5), served.recommend(users, 5))
    if name == "ids and network":
        similar = served.similar_items([505, 507], k=3)
        assert set(similar["similar_item"]) <= set(EVENTS["item_id"])
        assert similar["item_id"].tolist() == [505] * 3 + [507] * 3
        with pytest.raises(skrec.exceptions.UnknownIdError, match="-7"):
            served.similar_items([-7])


def test_a_search_is_exported_as_its_best_estimator(file):
    search = GridSearchCV(EASERanker(), {"l2": [10.0, 100.0]}, cv=2).fit(EVENTS[["user_id", "item_id"]])
    assert exported(search, file).l2 == search.best_params_["l2"]


SEQUENCES = """
    import sys
    sys.modules["tensorflow"] = sys.modules["keras"] = sys.modules["sklearn"] = None  # importing it fails
    import pandas as pd
    import skrec.serving
    model = skrec.serving.load(sys.argv[1])
    event = pd.DataFrame({"user_id": ["new"], "item_id": [505], "timestamp": [2 * 10**9]})
    before = model.recommend(["new"], k=3)
    model.append_history(event)
    assert not before.equals(model.recommend(["new"], k=3))
    assert model.similar_items([505], k=2).shape == (2, 4)
    assert len(model.explain(model.recommend(["new"], k=2))) == 2
"""


def test_histories_grow_in_a_process_without_scikit_learn(file):
    model = SASRecRanker(epochs=1, random_state=0).fit(EVENTS[["user_id", "item_id", "timestamp"]])
    skrec.export(model, file)
    command = [sys.executable, "-c", textwrap.dedent(SEQUENCES), str(file)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


SCRIPT = """
    import json, sys
    for name in ("tensorflow", "keras", {blocked}):
        sys.modules[name] = None  # importing it fails
    import skrec.serving
    model = skrec.serving.load(sys.argv[1])
    found = model.recommend(["u3", "nobody"], k=4)
    rows = [[str(user), int(item), float(score)] for user, item, score in found.iloc[:, :3].itertuples(index=False)]
    loaded = [name for name in ("tensorflow", "keras", "sklearn") if sys.modules.get(name)]
    print(json.dumps([rows, loaded, model.predict(found.iloc[:, :2]).tolist()]))
"""


@pytest.mark.parametrize(
    "model",
    [
        EASERanker(),
        NCFRanker(epochs=1, random_state=0),
        make_pipeline(IDEncoder(), NCFRanker(epochs=1, random_state=0)),
        pytest.param(SASRecRanker(epochs=1, random_state=0), marks=pytest.mark.exhaustive),
    ],
    ids=lambda model: type(model).__name__,
)
def test_in_a_process_without_tensorflow(model, file):
    X = EVENTS[["user_id", "item_id"]]
    model.fit(X)
    skrec.export(model, file)
    is_pipeline = isinstance(model, Pipeline)
    script = textwrap.dedent(SCRIPT).format(blocked="" if is_pipeline else '"sklearn"')
    run = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True)
    rows, loaded, predicted = json.loads(run.stdout)
    expected = skrec.recommend(model, ["u3", "nobody"], 4)
    assert loaded == (["sklearn"] if is_pipeline else [])
    got = pd.DataFrame(rows, columns=expected.columns[:3]).assign(rank=expected["rank"])
    assert_close(expected.astype({"user_id": str}), got)
    assert_close(model.predict(expected.iloc[:, :2]), np.array(predicted))


def test_the_stand_ins_do_what_scikit_learn_does(file):
    """In a process that serves, the classes of models can be used like any estimator."""
    model = NCFClassifier(epochs=1, random_state=0).fit(EVENTS[["user_id", "item_id"]], CLICKS)
    skrec.export(model, file)
    script = textwrap.dedent(
        """
        import sys
        import skrec.serving
        model = skrec.serving.load(sys.argv[1])
        from skrec.models import EASERanker, NCFClassifier
        assert NCFClassifier is type(model) and "sklearn" not in sys.modules
        import pandas as pd
        from sklearn.base import clone, is_classifier
        assert not model.get_params().keys() ^ model.get_params(deep=False).keys()
        try:
            model.explain
        except AttributeError as error:
            assert "NCFClassifier has no explain: the embedding" in str(error)
        from sklearn.model_selection import GridSearchCV
        X = pd.DataFrame({"user_id": [1, 1, 2, 2, 3, 3] * 5, "item_id": [5, 6, 5, 7, 6, 7] * 5})
        copy = clone(model).set_params(epochs=2)
        assert copy.get_params()["epochs"] == 2 and is_classifier(copy) and repr(EASERanker(l2=3)) == "EASERanker(l2=3)"
        search = GridSearchCV(EASERanker(), {"l2": [1.0, 2.0]}, cv=2).fit(X)
        assert search.best_estimator_.recommend([1], k=1).shape == (1, 4)
        y = [0, 1] * 15
        assert 0 <= clone(model).fit(X, y).score(X, y) <= 1
        try:
            EASERanker(l2=-1).fit(X)
        except ValueError as error:
            assert "l2" in str(error) and "must be" in str(error)
        else:
            raise AssertionError
        try:
            EASERanker().recommend([1])
        except Exception as error:
            assert type(error).__name__ == "NotFittedError"
        """
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, str(file)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def test_an_exported_network_does_not_learn(file):
    X = EVENTS[["user_id", "item_id"]]
    served = exported(NCFRanker(epochs=1, random_state=0).fit(X), file)
    before = served.recommend(["u3"])
    for learn in (served.fit, served.partial_fit):
        with pytest.raises(TypeError, match="was exported to serve and cannot learn"):
            learn(X)
    pd.testing.assert_frame_equal(served.recommend(["u3"]), before)


def test_what_only_training_needs_is_left_out(file):
    def my_loss(y_true, y_pred):
        return keras.ops.mean((y_true - y_pred) ** 2, axis=-1)

    model = NCFRanker(epochs=1, random_state=np.random.RandomState(0), callbacks=[lambda: None], loss=my_loss)
    model.set_params(callbacks=None).fit(EVENTS[["user_id", "item_id"]])
    model.callbacks = [lambda: None]
    served = exported(model, file)
    assert served.callbacks is None
    assert served.loss == "auto"
    assert_close(model.score_items(["u3"]), served.score_items(["u3"]))


@pytest.mark.parametrize("architecture", ["gmf", "neumf"])
def test_int8_is_small_and_close(architecture, file, tmp_path):
    X = skrec.datasets.make_interactions(800, 600, 9000, random_state=0)
    model = NCFRanker(architecture=architecture, epochs=2, random_state=0).fit(X)
    skrec.export(model, tmp_path / "float")
    served = exported(model, file, quantize="int8")
    full, small = model.score_items(model.users_), served.score_items(model.users_)
    assert np.abs(full - small).max() < 0.05 * np.ptp(full)
    assert np.corrcoef(full.ravel(), small.ravel())[0, 1] > 0.999
    assert not any(name.endswith("kernel") for name in served._weights)  # the graphs alone have them
    sizes = [
        sum(array.nbytes for array in one._graphs.arrays.values()) for one in (skrec.load(tmp_path / "float"), served)
    ]
    assert sizes[1] < sizes[0] / 3
    assert np.abs(np.asarray(served.item_embeddings_) - model.item_embeddings_).max() < 0.01


def test_int8_histories_grow(file):
    X = EVENTS[["user_id", "item_id", "timestamp"]]
    model = DINRanker(epochs=1, random_state=0).fit(X)
    served = exported(model, file, quantize="int8")
    more = X.iloc[:3].assign(user_id="new", timestamp=2 * 10**9)
    for one in (model, served):
        one.append_history(more)
    full, small = model.score_items(["new"]), served.score_items(["new"])
    assert np.abs(full - small).max() < 0.05 * np.ptp(full)


def test_tables_are_stored_once(file):
    X = skrec.datasets.make_interactions(800, 600, 9000, random_state=0)
    model = NCFRanker(architecture="gmf", epochs=1, random_state=0).fit(X)
    skrec.save(model, file.with_suffix(".saved"))
    skrec.export(model, file)
    assert file.stat().st_size < 1.05 * file.with_suffix(".saved").stat().st_size
    served = skrec.serving.load(file)
    assert any(served._weights["item/embeddings"] is array for array in served._graphs.arrays.values())
    skrec.export(model, file, quantize="int8")
    served = skrec.serving.load(file)
    codes = served._weights["item/embeddings"].codes
    assert any(codes is array for array in served._graphs.arrays.values())


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda file: skrec.export(EASERanker(), file), NotFittedError, "not fitted"),
        (lambda file: skrec.export(EASERanker, file), TypeError, "is not an estimator"),
        (lambda file: skrec.export(make_pipeline(IDEncoder(), EASERanker()), file), NotFittedError, "not fitted"),
        (lambda file: skrec.export(EASERanker(), file, format="onx"), ValueError, "format is 'onx', but must be"),
        (lambda file: skrec.export(EASERanker(), file, quantize="int4"), ValueError, "quantize is 'int4'"),
    ],
)
def test_bad_arguments(call, error, message, file):
    with pytest.raises(error, match=message):
        call(file)
    assert not file.exists()


def test_a_bundle_says_what_is_missing(file):
    skrec.export(make_pipeline(IDEncoder(), ItemKNNRanker()).fit(EVENTS[["user_id", "item_id"]]), file)
    script = "import sys; sys.modules['sklearn'] = None; import skrec.serving; skrec.serving.load(sys.argv[1])"
    run = subprocess.run([sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=False)
    assert "needs sklearn" in run.stderr.splitlines()[-1]
    assert "which is not installed" in run.stderr.splitlines()[-1]


def test_what_was_exported_can_be_stored_again(file, tmp_path):
    X = EVENTS[["user_id", "item_id"]]
    served = exported(NCFRanker(epochs=1, random_state=0).fit(X), file)
    again = exported(served, tmp_path / "again")
    np.testing.assert_array_equal(again.score_items(["u3"]), served.score_items(["u3"]))
    with pytest.raises(TypeError, match="was exported before"):
        skrec.export(served, tmp_path / "small", quantize="int8")
    pipeline = exported(make_pipeline(IDEncoder(), ItemKNNRanker()).fit(X), file)
    skrec.save(pipeline, tmp_path / "pipeline")
    expected = pipeline.recommend(["u3", "nobody"])
    for one in (skrec.load(tmp_path / "pipeline"), exported(pipeline, tmp_path / "other")):
        assert isinstance(one, ServedPipeline)
        pd.testing.assert_frame_equal(one.recommend(["u3", "nobody"]), expected)
    assert len(pipeline) == 2
    assert type(pipeline[-1]).__name__ == "ItemKNNRanker"
    assert repr(pipeline).startswith("ServedPipeline(Pipeline(")


def test_a_pipeline_knows_what_users_have_seen(file):
    X = EVENTS[["user_id", "item_id"]]
    served = exported(make_pipeline(IDEncoder(), ItemKNNRanker()).fit(X), file)
    assert set(served.users_) == set(X["user_id"])
    seen = served.seen_items(["u3", "nobody"])
    assert set(served.items_[seen[[0]].indices]) == set(X.loc[X["user_id"] == "u3", "item_id"])
    assert seen[[1]].nnz == 0


def test_a_folder_and_a_longer_file_are_refused(file, tmp_path):
    model = EASERanker().fit(EVENTS[["user_id", "item_id"]])
    with pytest.raises(IsADirectoryError, match="is a folder: name a file"):
        skrec.export(model, tmp_path)
    skrec.export(model, file)
    with file.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(skrec.exceptions.FileFormatError, match="damaged"):
        skrec.serving.load(file)


def test_graphs_can_be_copied_and_pickled(file):
    import pickle

    served = exported(NCFRanker(epochs=1, random_state=0).fit(EVENTS[["user_id", "item_id"]]), file)
    expected = served.score_items(["u3"])
    again = pickle.loads(pickle.dumps(served))
    assert isinstance(again._graphs, Graphs)
    np.testing.assert_array_equal(again.score_items(["u3"]), expected)


def test_threads_share_the_graphs(file):
    from concurrent.futures import ThreadPoolExecutor

    served = exported(NCFRanker(epochs=1, random_state=0).fit(EVENTS[["user_id", "item_id"]]), file)
    users = served.users_.tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda user: served.score_items([user]), users * 4))
    expected = served.score_items(users)
    for at, scores in enumerate(found):
        assert_close(scores[0], expected[at % len(users)], 1e-6)
