"""SavedModels and LiteRT files: they give the estimator's scores by their input specification alone."""

import json

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.base import is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skrec
from skrec.models import DeepFMRanker, DNNClassifier, EASERanker, NCFClassifier, NCFRanker, SASRecRanker
from skrec.preprocessing import AutoencoderFeatures, IDEncoder
from skrec.testing import all_estimators
from skrec.testing._case import Case

RANDOM = np.random.default_rng(0)
EVENTS = pd.DataFrame({"user_id": RANDOM.integers(0, 20, 400), "item_id": RANDOM.integers(0, 30, 400)})
IDS = EVENTS.assign(user_id=EVENTS["user_id"].map("u{}".format))
ONCE = {"epochs": 1, "random_state": 0}

LACK_OPERATIONS = {
    "AutoRecRegressor": "item",  # a sparse product
    "GRU4RecRanker": "query",  # a loop
    "MultDAERanker": "query",  # a sparse product
    "MultVAERanker": "query",
    "RecVAERanker": "query",
}


class Client:
    """A program without skrec: it knows a folder only by its two JSON files."""

    def __init__(self, folder):
        self.folder = folder
        self.inputs = json.loads((folder / "inputs.json").read_text())
        self.tables = json.loads((folder / "vocabularies.json").read_text())
        self.loaded = tf.saved_model.load(str(folder)) if self.inputs["format"] == "saved_model" else None

    def call(self, name, given):
        spec = self.inputs["functions"][name]
        given = {key: np.asarray(given[key], one["dtype"]) for key, one in spec["inputs"].items()}
        if self.loaded is not None:
            tensors = {key: tf.constant(value) for key, value in given.items()}
            found = {key: value.numpy() for key, value in self.loaded.signatures[name](**tensors).items()}
        else:
            from ai_edge_litert.interpreter import Interpreter

            runner = Interpreter(model_path=str(self.folder / f"{name}.tflite")).get_signature_runner()
            found = runner(**given)
        assert found.keys() == spec["outputs"].keys()
        return found

    def interact(self, query, item):
        return self.call("interact", {**self.call("query", query), **self.call("item", item)})["scores"]

    def codes(self, role, ids):
        of_id = dict(self.tables[role]["codes"])
        return [of_id.get(key, self.tables["unknown"]) for key in ids]

    def history(self, items):
        width = self.inputs["functions"]["query"]["inputs"]["history"]["shape"][1]
        rows = [self.codes("items", past)[-(width or 64) :] for past in items]
        width = width or max(map(len, rows))
        return [[-1] * (width - len(row)) + row for row in rows]

    def features(self, side, rows):
        """Encode dicts of raw values."""
        fields, encoded = self.tables[side], {}
        if fields["categorical"]:
            encoded[f"{side}_codes"] = [[category(one, row) for one in fields["categorical"]] for row in rows]
        for at, one in enumerate(fields["multivalued"]):
            bags = [bag(one, row) for row in rows]
            width = max(map(len, bags))
            encoded[f"{side}_bag_{at}"] = [found + [-1] * (width - len(found)) for found in bags]
        if fields["numbers"] or fields["flags"]:
            encoded[f"{side}_numbers"] = [
                [number(one, row[one["column"]], fields["flags"]) for one in fields["numbers"]]
                + [float(is_flagged(flag, row[flag["column"]])) for flag in fields["flags"]]
                for row in rows
            ]
        if fields["arrays"]:
            encoded[f"{side}_arrays"] = [
                [
                    standardized(place, value)
                    for one in fields["arrays"]
                    for place, value in zip(one["places"], row[one["column"]], strict=True)
                ]
                for row in rows
            ]
        return encoded


def category(field, row):
    value = row[field["column"]]
    return field["missing"] if value is None else dict(map(tuple, field["rows"])).get(value, field["unknown"])


def bag(field, row):
    values = row[field["column"]].split(field["separator"]) if row[field["column"]] else []
    known = dict(map(tuple, field["rows"]))
    return sorted({known[value] for value in values if value in known}) or [field["unknown"]]


def is_flagged(flag, value):
    return value is None if flag["is"] is None else value == flag["is"]


def number(field, value, flags):
    others = [flag["is"] for flag in flags if flag["column"] == field["column"]]
    return 0.0 if value is None or value in others else standardized(field, value)


def standardized(place, value):
    found = (value - place["mean"]) / place["scale"]
    low, high = place.get("limits", (None, None))
    if high is not None and found > high:
        found = high + np.log1p(np.log1p(found - high))
    if low is not None and found < low:
        found = low - np.log1p(np.log1p(low - found))
    return found


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "model"


def exported(model, folder, kind):
    skrec.export(model, folder, format=kind)
    return Client(folder)


BOTH = pytest.mark.parametrize("kind", ["saved_model", "litert"])


@BOTH
def test_ids_by_the_sidecar_alone(folder, kind):
    model = NCFRanker(**ONCE).fit(IDS)
    client = exported(model, folder, kind)
    users, items = ["u3", "u11", "nobody"], model.items_[[4, 2, 9]].tolist()
    assert_close(
        client.interact({"user": client.codes("users", users)}, {"item": client.codes("items", items)}),
        model.score_items(users, items),
    )
    pairs = client.call("pairs", {"user": client.codes("users", users), "item": client.codes("items", items)})
    assert_close(pairs["scores"], model.predict(pd.DataFrame({"user_id": users, "item_id": items})))
    assert client.inputs["skrec_version"] == client.tables["skrec_version"] == skrec.__version__
    assert client.inputs["estimator"] == "NCFRanker"


@BOTH
def test_histories_by_the_sidecar_alone(folder, kind):
    model = SASRecRanker(embedding_dim=8, n_blocks=1, max_history=8, **ONCE).fit(EVENTS)
    client = exported(model, folder, kind)
    past = [[3, 5, 999], [7] * 12, list(range(9))]
    assert client.inputs["scores_are_dot_products"]
    meaning = client.inputs["functions"]["query"]["inputs"]["history"]["meaning"]
    assert "the latest last" in meaning
    assert "left-padded with -1" in meaning
    items = model.items_.tolist()
    scores = client.interact({"history": client.history(past)}, {"item": client.codes("items", items)})
    assert_close(scores, model.score_items(history=past))


@BOTH
def test_features_by_the_sidecar_alone(folder, kind):
    item = EVENTS["item_id"]
    X = IDS.assign(
        genres=np.array(["a|b", "b", "c|a", "", "d"])[item % 5],
        price=np.where(item % 7 == 0, np.nan, np.where(item == 3, 1e6, item * 1.5)),
        city=np.array(["Bern", "Rome", None], dtype=object)[RANDOM.integers(0, 3, len(item))],
        hour=RANDOM.integers(0, 24, len(item)),
        vector=[np.array([i % 4, i % 3], float) for i in item],
    )
    options = {"hidden_units": (8,), "embedding_dim": 4, "n_bins": 4, "multivalued_features": ["genres"]}
    model = DeepFMRanker(item_features=["genres", "price", "vector"], **options, **ONCE).fit(X)
    client = exported(model, folder, kind)
    queries = pd.DataFrame({"user_id": ["u3", "no"], "city": ["Rome", None], "hour": [3, 90]}).astype({"city": object})
    offered = pd.DataFrame({"item_id": [3, 7, 77], "genres": ["d|a", "x", ""], "price": [1e6, np.nan, 2.5]})
    offered["vector"] = [np.array(one) for one in ([1.0, 2.0], [0.0, 0.0], [3.0, 9.0])]
    context = {
        "user": client.codes("users", ["u3", "no"]),
        **client.features("query", [{"city": "Rome", "hour": 3}, {"city": None, "hour": 90}]),
    }
    rows = offered.to_dict("records")
    rows[1]["price"] = None
    items = {"item": client.codes("items", [3, 7, 77]), **client.features("item", rows)}
    scores = client.interact(context, items)
    for at in range(3):  # candidates are scored in an order of their own
        assert_close(scores[:, [at]], model.score_items(queries, offered[at : at + 1]))


@BOTH
def test_plain_tables_have_pairs_alone(folder, kind):
    X = pd.DataFrame({"age": RANDOM.random(300), "city": np.array(["x", "y", "z"])[RANDOM.integers(0, 3, 300)]})
    y = np.array(["no", "yes", "maybe"])[RANDOM.integers(0, 3, 300)]
    model = DNNClassifier(hidden_units=(8,), embedding_dim=4, n_bins=4, **ONCE).fit(X, y)
    client = exported(model, folder, kind)
    assert list(client.inputs["functions"]) == ["pairs"]
    assert client.inputs["classes"] == ["maybe", "no", "yes"]
    rows = [{"age": 0.3, "city": "y"}, {"age": 0.9, "city": "w"}]
    scores = client.call("pairs", client.features("query", rows))["scores"]
    assert_close(scores, model.decision_function(pd.DataFrame(rows)))


FAST = {"NCFRanker", "DINRanker", "DNNRegressor", "GRU4RecRanker", "LightGCNRanker", "MultVAERanker"}


def networks():
    return [
        pytest.param(cls, id=name, marks=[] if name in FAST else [pytest.mark.exhaustive])
        for name, cls in all_estimators(["classifier", "regressor", "ranker"])
        if hasattr(cls, "network_functions")
    ]


@pytest.mark.parametrize("cls", networks())
def test_every_network(cls, folder):
    case = Case(cls())
    if cls.__name__.endswith(("Classifier", "Regressor")) and not case.estimator.item:
        case.X = case.X.assign(item_id=case.X["item_id"].astype("category"))
    model = case.fit(epochs=1, random_state=0)
    X = case.X[:50]
    if cls.__name__ in LACK_OPERATIONS:
        message = f"{cls.__name__} cannot be exported.*'litert'.*'{LACK_OPERATIONS[cls.__name__]}' has operations"
        with pytest.raises(TypeError, match=message):
            skrec.export(model, folder, format="litert")
        assert not list(folder.parent.iterdir())
        client = exported(model, folder, "saved_model")
    else:
        client = exported(model, folder, "litert")
    if "interact" in client.inputs["functions"]:
        query, item = model.query_inputs(case.users), model.item_inputs()
        assert_close(client.interact(query, item), model.score_items(case.users))
    else:
        expected = model.decision_function(X) if is_classifier(model) else model.predict(X)
        assert_close(client.call("pairs", model.pair_inputs(X))["scores"], expected)
    undescribed = [
        key
        for function in client.inputs["functions"].values()
        for key, one in function["inputs"].items()
        if one["meaning"].startswith("input ")
    ]
    assert not undescribed


def test_int8_makes_litert_files_small(folder, tmp_path):
    X = skrec.datasets.make_interactions(800, 600, 9000, random_state=0)
    model = NCFRanker(architecture="gmf", epochs=2, random_state=0).fit(X)
    skrec.export(model, tmp_path / "float", format="litert")
    skrec.export(model, folder, format="litert", quantize="int8")
    sizes = [sum(file.stat().st_size for file in one.glob("*.tflite")) for one in (tmp_path / "float", folder)]
    assert sizes[1] < sizes[0] / 3
    small = Client(folder).interact(model.query_inputs(model.users_), model.item_inputs())
    full = model.score_items(model.users_)
    assert np.corrcoef(full.ravel(), small.ravel())[0, 1] > 0.999


def test_an_earlier_export_is_replaced_only_by_a_complete_one(folder, monkeypatch):
    model = NCFRanker(**ONCE).fit(IDS)
    skrec.export(model, folder, format="litert")
    before = {file.name: file.read_bytes() for file in folder.iterdir()}

    def fail(*_, **__):
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("skrec._engine.tensorflow_files.write_saved_model", fail)
        with pytest.raises(OSError, match="no space"):
            skrec.export(model, folder, format="saved_model")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    skrec.export(model, folder, format="saved_model")
    assert {file.name for file in folder.iterdir()} >= {"saved_model.pb", "inputs.json", "vocabularies.json"}
    assert not list(folder.glob("*.tflite"))
    assert [file.name for file in folder.parent.iterdir()] == ["model"]


def test_other_folders_are_not_replaced(folder):
    folder.mkdir()
    (folder / "letters.txt").write_text("dear")
    model = NCFRanker(**ONCE).fit(IDS)
    with pytest.raises(FileExistsError, match="not a folder that skrec.export wrote"):
        skrec.export(model, folder, format="saved_model")
    assert (folder / "letters.txt").read_text() == "dear"


def test_a_search_is_exported_as_its_best_estimator(folder):
    y = (EVENTS["item_id"] % 2).to_numpy()
    search = GridSearchCV(NCFClassifier(**ONCE), {"l2": [0.001, 0.1]}, cv=2).fit(IDS, y)
    client = exported(search, folder, "litert")
    assert client.inputs["classes"] == [0, 1]
    codes = {"user": client.codes("users", ["u3"]), "item": client.codes("items", [5])}
    row = pd.DataFrame({"user_id": ["u3"], "item_id": [5]})
    assert_close(client.call("pairs", codes)["scores"], search.best_estimator_.decision_function(row))


@BOTH
@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (EASERanker().fit(EVENTS), TypeError, "EASERanker has no network.*use format='onnx'"),
        (AutoencoderFeatures(**ONCE).fit(EVENTS), TypeError, "AutoencoderFeatures has no network.*use format='onnx'"),
        (NCFRanker(), NotFittedError, "not fitted"),
        (make_pipeline(IDEncoder(), EASERanker()).fit(EVENTS), TypeError, "this Pipeline has transformers"),
    ],
    ids=["closed form", "transformer", "unfitted", "pipeline"],
)
def test_what_has_no_such_export(model, error, message, kind, folder):
    with pytest.raises(error, match=message):
        skrec.export(model, folder, format=kind)
    assert not list(folder.parent.iterdir())


def test_ids_that_json_cannot_hold(folder):
    X = EVENTS.assign(item_id=pd.to_datetime(EVENTS["item_id"], unit="D"))
    with pytest.raises(TypeError, match="item_id"):
        skrec.export(NCFRanker(**ONCE).fit(X), folder, format="litert")
    assert not folder.exists()


def test_exported_models_and_int8_saved_models_are_refused(folder, tmp_path):
    model = NCFRanker(**ONCE).fit(IDS)
    with pytest.raises(ValueError, match="not available for format='saved_model'"):
        skrec.export(model, folder, format="saved_model", quantize="int8")
    skrec.export(model, tmp_path / "bundle")
    with pytest.raises(TypeError, match="was exported before"):
        skrec.export(skrec.serving.load(tmp_path / "bundle"), folder, format="litert")
