"""Pruned exports: the smallest values of kernels are zero, also after fine-tuning, and nothing else changes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

import skrec
from skrec._export._pruned import pruned
from skrec.exceptions import FileFormatError
from skrec.models import DCNClassifier, DINRanker, EASERanker, FMRanker, NCFRanker, SASRecRanker
from skrec.preprocessing import IDEncoder
from skrec.serving.graphs import PackedZeros
from skrec.testing import all_estimators
from skrec.testing._case import Case

RANDOM = np.random.default_rng(0)
EVENTS = pd.DataFrame({"user_id": RANDOM.integers(0, 20, 400), "item_id": RANDOM.integers(0, 30, 400)})
EVENTS["timestamp"] = np.arange(400)
ONCE = {"epochs": 1, "random_state": 0}


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.bundle"


def kernels(weights):
    return {name: weight for name, weight in weights.items() if name.endswith("kernel") and weight.ndim == 2}


def state(model):
    return {name: np.array(weight) for name, weight in model._weights.items()}


def assert_pruned(before, after, share):
    for name, kernel in kernels(before).items():
        zeros = after[name] == 0
        assert zeros.sum() == round(share * kernel.size)
        assert np.abs(kernel[zeros]).max() <= np.abs(kernel[~zeros]).min()  # the smallest are gone


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_exact_share_of_each_kernel(share):
    model = NCFRanker(**ONCE).fit(EVENTS)
    before = state(model)
    small = pruned(model, model, share, None, 1)
    assert_pruned(before, small._weights, share)
    for name in before.keys() - kernels(before).keys():  # tables and biases
        np.testing.assert_array_equal(small._weights[name], before[name])
    for name in kernels(before):
        left = small._weights[name] != 0
        np.testing.assert_array_equal(small._weights[name][left], before[name][left])


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (NCFRanker(**ONCE), None),
        (SASRecRanker(embedding_dim=8, n_blocks=1, max_history=8, **ONCE), None),
        pytest.param(DINRanker(ema_momentum=0.5, **ONCE), None, marks=pytest.mark.exhaustive),
        (DCNClassifier(user="user_id", item="item_id", **ONCE), (EVENTS["item_id"] % 2).to_numpy()),
    ],
    ids=["NCF", "SASRec", "DIN", "DCN"],
)
def test_zeros_stay_in_fine_tuning_and_the_original_does_not_change(model, y, file):
    model.fit(EVENTS, y)
    before, log, histories = state(model), model._log, getattr(model, "_histories", None)
    scores = model.score_items([3, 4])
    small = pruned(model, model, 0.5, (EVENTS, y), 2)
    assert_pruned(before, small._weights, 0.5)
    changed = [name for name in kernels(before) if (small._weights[name] != pruned_alone(model)[name]).any()]
    assert changed == [*kernels(before)]
    assert small._log is log
    assert getattr(small, "_histories", None) is histories
    np.testing.assert_array_equal(model.score_items([3, 4]), scores)
    for name, weight in before.items():
        np.testing.assert_array_equal(model._weights[name], weight)
    assert model.callbacks is None
    skrec.export(model, file, prune=0.5, fine_tune=(EVENTS, y), fine_tune_epochs=2)
    served = skrec.serving.load(file)
    np.testing.assert_allclose(served.score_items([3, 4]), small.score_items([3, 4]), rtol=1e-5, atol=1e-5)


def pruned_alone(model):
    return pruned(model, model, 0.5, None, 1)._weights


def test_rows_with_new_ids():
    model = SASRecRanker(embedding_dim=8, n_blocks=1, max_history=8, **ONCE).fit(EVENTS)
    new = EVENTS.assign(user_id=EVENTS["user_id"] + 15, item_id=EVENTS["item_id"] + 5, timestamp=np.arange(400) + 500)
    before = state(model)
    small = pruned(model, model, 0.5, (new, None), 2)
    assert {name: weight.shape for name, weight in before.items()} == {
        name: weight.shape for name, weight in small._weights.items()
    }
    assert_pruned(before, small._weights, 0.5)
    assert (small._weights["item/embeddings"] != before["item/embeddings"]).any()
    assert small._log is model._log
    assert small.recommend([3], k=5).shape == (5, 4)


def test_fine_tuning_regains_what_pruning_lost():
    X = skrec.datasets.make_interactions(200, 100, 6000, random_state=0)
    model = SASRecRanker(embedding_dim=32, epochs=10, random_state=0, early_stopping=False).fit(X)

    full = model.score_items(model.users_)
    gaps = []
    for small in (pruned(model, model, 0.8, None, 1), pruned(model, model, 0.8, (X, None), 3)):
        found = small.score_items(model.users_)
        gaps.append(np.mean([np.corrcoef(one, other)[0, 1] for one, other in zip(full, found, strict=True)]))
    assert gaps[1] > gaps[0]


def test_random_states_of_the_original_are_not_used():
    model = NCFRanker(epochs=1, random_state=np.random.RandomState(0)).fit(EVENTS)
    before = model.random_state.get_state()[1].copy()
    pruned(model, model, 0.5, (EVENTS, None), 1)
    np.testing.assert_array_equal(model.random_state.get_state()[1], before)


def test_zeros_are_not_stored(file, tmp_path):
    X = skrec.datasets.make_interactions(50, 30, 900, random_state=0)
    model = NCFRanker(architecture="mlp", hidden_units=(256, 128), **ONCE).fit(X)
    sizes = []
    for name, options in {"full": {}, "half": {"prune": 0.5}, "tenth": {"prune": 0.9}}.items():
        skrec.export(model, tmp_path / name, **options)
        sizes.append((tmp_path / name).stat().st_size)
    n_bytes = sum(kernel.nbytes for kernel in kernels(model._weights).values())
    assert sizes[0] - sizes[1] > 0.4 * n_bytes
    assert sizes[0] - sizes[2] > 0.8 * n_bytes
    served = skrec.serving.load(tmp_path / "half")
    half = pruned(model, model, 0.5, None, 1)
    np.testing.assert_allclose(served.score_items([3]), half.score_items([3]), rtol=1e-5, atol=1e-5)
    skrec.export(model, file, prune=0.5, quantize="int8")
    assert file.stat().st_size < sizes[1]
    assert np.corrcoef(skrec.serving.load(file).score_items([3]), half.score_items([3]))[0, 1] > 0.99


def test_pipelines_fine_tune_on_their_own_rows(file):
    X = EVENTS.assign(user_id=EVENTS["user_id"].map("u{}".format))[["user_id", "item_id"]]
    pipeline = make_pipeline(IDEncoder(), NCFRanker(**ONCE)).fit(X)
    skrec.export(pipeline, file, prune=0.5, fine_tune=(X, None))
    served = skrec.serving.load(file)
    assert served.recommend(["u3"], k=3)["item_id"].isin(X["item_id"]).all()


@pytest.mark.parametrize("kind", ["saved_model", "litert"])
def test_folders(kind, tmp_path):
    model = NCFRanker(**ONCE).fit(EVENTS)
    skrec.export(model, tmp_path / "model", format=kind, prune=0.5)
    assert (tmp_path / "model" / "inputs.json").is_file()


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "cls"), all_estimators(["classifier", "regressor", "ranker"]))
def test_every_network(name, cls):
    if not hasattr(cls, "network_functions"):
        return
    case = Case(cls())
    if cls.__name__.endswith(("Classifier", "Regressor")) and not case.estimator.item:
        case.X = case.X.assign(item_id=case.X["item_id"].astype("category"))
    model = case.fit(epochs=1, random_state=0)
    X, y = (*case.arguments(), None)[:2]
    if not kernels(model._weights):
        with pytest.raises(ValueError, match="no kernels of dense layers"):
            pruned(model, model, 0.5, None, 1)
        return
    before = state(model)
    assert_pruned(before, pruned(model, model, 0.5, (X, y), 1)._weights, 0.5)


@pytest.mark.parametrize(
    ("model", "options", "error", "message"),
    [
        (NCFRanker(), {"prune": 1.5}, ValueError, "prune is 1.5, but must be a number between 0 and 1"),
        (NCFRanker(), {"fine_tune": (EVENTS, None)}, ValueError, "without prune="),
        (NCFRanker(), {"prune": 0.5, "fine_tune": EVENTS}, TypeError, r"must be a pair \(X, y\)"),
        (NCFRanker(), {"prune": 0.5, "fine_tune_epochs": 0}, ValueError, "fine_tune_epochs is 0"),
        (FMRanker(), {"prune": 0.5}, ValueError, "This FMRanker has no kernels.*item/embeddings"),
        (EASERanker(), {"prune": 0.5}, TypeError, "EASERanker has no network that could be pruned"),
    ],
    ids=str,
)
def test_bad_arguments(model, options, error, message, file):
    if "epochs" in model.get_params():
        model.set_params(**ONCE)
    model.fit(EVENTS)
    with pytest.raises(error, match=message):
        skrec.export(model, file, **options)
    assert not file.exists()


@pytest.mark.parametrize(
    "change", [{"shape": (10**9, 10**6)}, {"values": np.ones(3, np.float32)}, {"bits": np.zeros(1, np.uint8)}]
)
def test_damaged_arrays_are_refused_before_memory_is_allocated(change):
    packed = PackedZeros.of(np.eye(5, dtype=np.float32))
    with pytest.raises(FileFormatError, match="damaged"):
        PackedZeros.from_state({**vars(packed), **change})
