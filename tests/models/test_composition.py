"""The models inside scikit-learn's searches, pipelines and meta-estimators, on MovieLens 100K.

Every test asserts that the parameters set from outside reached the network.
"""

import os
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn import config_context
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, KFold, RandomizedSearchCV, cross_validate, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline

import skrec
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker
from skrec.preprocessing import IDEncoder

SMALL = {
    "early_stopping": False,
    "architecture": "gmf",
    "embedding_dim": 6,
    "batch_size": 256,
    "epochs": 2,
    "l2": 0,
    "random_state": 0,
}
MLP = {**SMALL, "architecture": "mlp", "hidden_units": (16, 8), "epochs": 3, "learning_rate": 0.005}


@pytest.fixture(scope="module")
def ratings(real_data):
    """The ratings of 200 users: user_id, item_id, rating, timestamp."""
    frame = pd.read_csv(
        real_data / "ml-100k" / "u.data.gz", sep="\t", names=["user_id", "item_id", "rating", "timestamp"]
    )
    return frame[frame["user_id"] <= 200].reset_index(drop=True)


@pytest.fixture(scope="module")
def events(ratings):
    return ratings[["user_id", "item_id", "timestamp"]]


def width(model):
    """The width of the item embeddings; that of the users' must agree with the weights behind it."""
    assert model.user_embeddings_.shape == (len(model.users_), model.item_embeddings_.shape[1])
    assert model._weights["item/embeddings"].shape == (len(model.items_) + 1, model.item_embeddings_.shape[1])
    return model.item_embeddings_.shape[1]


def test_grid_search(events):
    search = GridSearchCV(
        NCFRanker(**SMALL), {"embedding_dim": [2, 12], "epochs": [1, 6]}, cv=LeaveLastOut(),
        scoring=make_ranking_scorer(["ndcg@10", "recall@20"]), refit="ndcg@10",
    ).fit(events)  # fmt: skip
    best = search.best_estimator_
    assert width(best) == best.embedding_dim == search.best_params_["embedding_dim"]
    assert best.n_iter_ == search.best_params_["epochs"] == 6
    scores = search.cv_results_["mean_test_ndcg@10"]
    assert len(set(scores)) == 4  # no two candidates trained the same network
    assert search.best_score_ == max(scores) > 0
    frame = skrec.recommend(search, [7, 8], k=5)
    pd.testing.assert_frame_equal(frame, best.recommend([7, 8], k=5))
    assert search.score(events) > 0.1  # training rows themselves can be scored


def test_grid_search_in_two_processes_gives_what_one_gives(events):
    """Each worker takes its share of the threads."""

    def threads_and_score(model, X, y=None):
        return {"threads": int(os.environ["TF_NUM_INTRAOP_THREADS"]), "score": float(model.predict(X).mean())}

    searches = [
        GridSearchCV(
            NCFRanker(**SMALL), {"embedding_dim": [3, 5]}, cv=KFold(2), n_jobs=n_jobs, refit=False, scoring=scoring
        ).fit(events[:3000])
        for n_jobs, scoring in ((2, threads_and_score), (1, lambda model, X, y=None: float(model.predict(X).mean())))
    ]  # fmt: skip
    two, one = (search.cv_results_ for search in searches)
    assert two["mean_test_score"].tolist() == one["mean_test_score"].tolist()
    assert two["mean_test_threads"].tolist() == [max(1, (os.cpu_count() or 2) // 2)] * 2


CELL = """
from sklearn.model_selection import GridSearchCV
from skrec.datasets import make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFRanker

def both(model, X, y=None):  # a function of the notebook's own, which the processes cannot import
    return sum(make_ranking_scorer(["ndcg@10", "recall@10"])(model, X, y).values())

search = GridSearchCV(
    NCFRanker(architecture="gmf", embedding_dim=8, learning_rate=0.02, random_state=0),
    {"epochs": [1, 10]}, cv=LeaveLastOut(), scoring=both, n_jobs=2,
).fit(make_interactions(random_state=0))
search.best_params_, search.best_score_
"""


def test_grid_search_in_two_processes_from_a_notebook(tmp_path, monkeypatch):
    """A cell in a kernel of its own shows the best score, and nothing else that it or its processes write."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel.kernelspec").write_kernel_spec(tmp_path / "kernels" / "this")
    for name in ("JUPYTER_PATH", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # or ipykernel would not show what processes write
    cell = nbformat.v4.new_code_cell(CELL)
    notebook = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(notebook, kernel_name="this", timeout=300).execute(cwd=str(Path(skrec.__file__).parents[1]))
    (output,) = notebook.cells[0].outputs
    here = {}
    exec(CELL.replace("n_jobs=2", "n_jobs=1"), here)
    assert here["search"].best_params_ == {"epochs": 10}
    assert output["data"]["text/plain"] == repr(({"epochs": 10}, here["search"].best_score_))


def test_randomized_search(ratings):
    shapes = {(8,): [(8, 1)], (10, 4): [(10, 4), (4, 1)]}
    search = RandomizedSearchCV(
        NCFRegressor(**MLP),
        {"hidden_units": list(shapes), "learning_rate": loguniform(1e-4, 1e-1), "mlp_embedding_dim": [3, 7]},
        n_iter=4, cv=2, random_state=1,
    ).fit(ratings[["user_id", "item_id"]], ratings["rating"])  # fmt: skip
    best = search.best_estimator_
    assert width(best) == search.best_params_["mlp_embedding_dim"]
    units = search.best_params_["hidden_units"]
    assert best._weights["first_item/kernel"].shape == (width(best), units[0])
    inner = [array.shape for name, array in best._weights.items() if name.endswith("kernel") and "first" not in name]
    assert inner == shapes[units]
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert best.predict(ratings[["user_id", "item_id"]]).std() > 0.1


def test_cross_validate(events):
    results = cross_validate(
        NCFRanker(**SMALL).set_params(embedding_dim=9), events, cv=LeaveLastOut(2),
        scoring=make_ranking_scorer(["ndcg@10", "cold_users"]), return_estimator=True, return_indices=True,
    )  # fmt: skip
    for model, rows in zip(results["estimator"], results["indices"]["train"], strict=True):
        assert width(model) == 9
        assert model.items_.tolist() == sorted(set(events["item_id"].iloc[rows]))
    popularity = cross_validate(
        PopularityRanker(), events, cv=LeaveLastOut(2), scoring=make_ranking_scorer("ndcg@10")
    )  # fmt: skip
    assert results["test_ndcg@10"].shape == popularity["test_score"].shape
    assert (results["test_cold_users"] == 0).all()


def test_sample_weights_are_routed_to_every_fold(ratings):
    """Embeddings of items whose rows weigh 0 stay where they started, however long the training."""
    X, weight = ratings[["user_id", "item_id"]], (ratings["item_id"] % 2 == 0).astype(float)
    with config_context(enable_metadata_routing=True):
        short, long = (
            cross_validate(
                NCFRegressor(**SMALL).set_params(epochs=epochs, early_stopping=False)
                .set_fit_request(sample_weight=True).set_score_request(sample_weight=False),
                X, ratings["rating"], cv=2, params={"sample_weight": weight}, return_estimator=True,
            )["estimator"]
            for epochs in (1, 3)
        )  # fmt: skip
    for one, three in zip(short, long, strict=True):
        weightless = one.items_ % 2 == 1
        moved = (one.item_embeddings_ != three.item_embeddings_).any(axis=1)
        assert not moved[weightless].any()
        assert moved[~weightless].all()


def test_a_pipeline_with_an_encoder_recommends_raw_ids(events):
    raw = events.assign(
        user_id="u" + events["user_id"].astype(str).str.zfill(4),
        item_id="film " + events["item_id"].astype(str).str.zfill(4),
    )
    encoder = IDEncoder().set_output(transform="pandas")
    pipeline = Pipeline([("encode", encoder), ("rank", NCFRanker(**SMALL))]).set_params(rank__embedding_dim=11)
    pipeline.fit(raw[["user_id", "item_id"]])
    assert width(pipeline[-1]) == 11
    plain = NCFRanker(**SMALL).set_params(embedding_dim=11).fit(raw[["user_id", "item_id"]])
    assert pipeline[-1].item_embeddings_.tobytes() == plain.item_embeddings_.tobytes()
    users = raw["user_id"].unique()[:5]
    pd.testing.assert_frame_equal(
        skrec.recommend(pipeline, users, k=4), plain.recommend(users, k=4), check_dtype=False, rtol=1e-5
    )
    scorer = make_ranking_scorer("ndcg@10")
    assert scorer(pipeline, raw[["user_id", "item_id"]]) == pytest.approx(scorer(plain, raw[["user_id", "item_id"]]))


def test_a_search_over_a_pipeline_reaches_the_network(events):
    pipeline = make_pipeline(IDEncoder().set_output(transform="pandas"), NCFRanker(**SMALL))
    grid = {"ncfranker__embedding_dim": [3, 5], "idencoder__min_frequency": [1, 20]}
    search = GridSearchCV(pipeline, grid, cv=LeaveLastOut(), scoring=make_ranking_scorer("ndcg@10"))
    search.fit(events[["user_id", "item_id"]])
    model = search.best_estimator_[-1]
    assert width(model) == search.best_params_["ncfranker__embedding_dim"]
    assert len(set(search.cv_results_["mean_test_score"])) == 4
    assert set(skrec.recommend(search, [7], k=5)["item_id"]) <= set(events["item_id"])


def test_x_val_reaches_the_network_transformed_with_transform_input(events):
    raw = "u" + events["user_id"].astype(str)
    X = pd.DataFrame({"user_id": raw, "item_id": events["item_id"]})
    training, validation = train_test_split(X, test_size=0.1, random_state=0)
    with config_context(enable_metadata_routing=True):
        ranker = NCFRanker(**SMALL).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(IDEncoder().set_output(transform="pandas"), ranker, transform_input=["X_val"])
        pipeline.fit(training, X_val=validation)
    scores = pipeline[-1].validation_scores_
    assert len(scores) == 2
    assert scores[-1] == pytest.approx(make_ranking_scorer("ndcg@10")(pipeline, validation), abs=1e-6)


def test_calibrated_classifier(ratings):
    X, y = ratings[["user_id", "item_id"]], ratings["rating"] >= 4
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    classifier = NCFClassifier(**MLP).set_params(mlp_embedding_dim=7)
    calibrated = CalibratedClassifierCV(classifier, cv=2, ensemble=True).fit(X_train, y_train)
    assert [width(fold.estimator) for fold in calibrated.calibrated_classifiers_] == [7, 7]
    probability = calibrated.predict_proba(X_test)[:, 1]
    assert probability.mean() == pytest.approx(y_test.mean(), abs=0.02)
    assert roc_auc_score(y_test, probability) > 0.7
    fitted = clone(classifier).set_params(mlp_embedding_dim=5).fit(X_train, y_train)
    frozen = CalibratedClassifierCV(FrozenEstimator(fitted)).fit(X_test, y_test)
    assert width(frozen.calibrated_classifiers_[0].estimator.estimator) == 5


def test_permutation_importance(ratings):
    X, y = ratings[["user_id", "timestamp", "item_id"]], ratings["rating"]
    model = NCFRegressor(**MLP).set_params(mlp_embedding_dim=5).fit(X, y)
    assert width(model) == 5
    result = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    user, timestamp, item = result.importances_mean
    assert user > 0.05
    assert item > 0.05
    assert timestamp == 0
    ranker = NCFRanker(**SMALL).set_params(epochs=8, learning_rate=0.02).fit(X)
    scored = permutation_importance(
        ranker, X[:2000], None, scoring=make_ranking_scorer("ndcg@10"), n_repeats=1, random_state=0
    )  # fmt: skip
    assert scored.importances_mean[0] > 0 == scored.importances_mean[1]


def test_clone_of_nested_parameters(ratings):
    X = ratings[["user_id", "item_id"]]
    model = NCFRanker(
        architecture="neumf", epochs=1, batch_size=256, random_state=0,
        gmf=NCFRanker(**SMALL), mlp=NCFRanker(**{**SMALL, "architecture": "mlp"}),
    )  # fmt: skip
    model.set_params(embedding_dim=3, gmf__embedding_dim=3, mlp_embedding_dim=4, mlp__mlp_embedding_dim=4)
    model.set_params(hidden_units=(6,), mlp__hidden_units=(6,), gmf__learning_rate=0.01)
    copy = clone(model)
    assert copy.gmf is not model.gmf
    assert copy.get_params()["gmf__learning_rate"] == 0.01
    copy.fit(X)
    assert width(copy) == 3 + 4
    assert (width(copy.gmf_), width(copy.mlp_)) == (3, 4)
    assert copy._weights["mlp_output/kernel"].shape == (6, 1)
    assert not hasattr(copy.gmf, "items_")  # parameters stay as they are
    again = clone(copy)
    assert not hasattr(again, "items_")
    assert again.get_params(deep=False).keys() == model.get_params(deep=False).keys()
