"""What is particular to neural collaborative filtering: its architectures, and NeuMF from pre-trained parts."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator

from skrec.datasets import make_interactions
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker

WIDTHS = {
    "embedding_dim": 5,
    "mlp_embedding_dim": 4,
    "hidden_units": (8, 3),
    "batch_size": 64,
    "random_state": 0,
    "l2": 0,
}
STILL = {"epochs": 1, "learning_rate": 1e-30, "id_dropout": 0}  # training that changes nothing


def target(model, board):
    liked = (board.train["user_id"] % 3 == board.train["item_id"] % 3).to_numpy()
    return {NCFRanker: liked, NCFClassifier: liked, NCFRegressor: 2.0 + 3 * liked}[model]


def parts(model, board):
    return [
        model(architecture=name, epochs=3, learning_rate=0.01, **WIDTHS).fit(board.train, target(model, board))
        for name in ("gmf", "mlp")
    ]  # fmt: skip


@pytest.fixture(scope="module")
def trained(board):
    """A fitted GMF and a fitted MLP; not to be changed."""
    return parts(NCFRanker, board)


def logits(model, X):
    return model.decision_function(X) if isinstance(model, NCFClassifier) else model.predict(X)


@pytest.mark.parametrize(
    ("model", "alpha"), [(NCFRanker, 0.5), (NCFRanker, 0.2), (NCFClassifier, 0.5), (NCFRegressor, 0.5)]
)
def test_neumf_starts_as_the_weighted_mean_of_its_parts(board, model, alpha):
    """He et al. (2017), section 3.4.1: h = [alpha h_GMF, (1 - alpha) h_MLP]."""
    gmf, mlp = parts(model, board)
    neumf = model(gmf=gmf, mlp=mlp, pretrain_alpha=alpha, **WIDTHS, **STILL).fit(board.train, target(model, board))
    expected = alpha * logits(gmf, board.held_out) + (1 - alpha) * logits(mlp, board.held_out)
    assert logits(neumf, board.held_out) == pytest.approx(expected, abs=1e-5)
    assert neumf.gmf_ is gmf
    assert neumf.mlp_ is mlp


@pytest.mark.parametrize("name", ["gmf", "mlp"])
def test_one_part_alone_may_be_given(board, trained, name):
    part = trained[["gmf", "mlp"].index(name)]
    neumf = NCFRanker(**{name: part}, **WIDTHS, **STILL).fit(board.events)
    columns = slice(None, 5) if name == "gmf" else slice(5, None)
    assert (neumf.item_embeddings_[:, columns] == part.item_embeddings_).all()
    assert np.corrcoef(neumf.predict(board.held_out), part.predict(board.held_out))[0, 1] > 0.9


def test_unfitted_parts_are_fitted_on_the_same_rows(board):
    unfitted = [NCFRanker(architecture=name, epochs=2, **WIDTHS) for name in ("gmf", "mlp")]
    neumf = NCFRanker(gmf=unfitted[0], mlp=unfitted[1], **WIDTHS, **STILL).fit(board.events)
    assert not any(hasattr(part, "items_") for part in unfitted)
    for part, fitted in zip(unfitted, (neumf.gmf_, neumf.mlp_), strict=True):
        assert (clone(part).fit(board.events).item_embeddings_ == fitted.item_embeddings_).all()


def test_clone_fits_parts_anew_and_a_frozen_part_stays(board, trained):
    gmf, mlp = trained
    neumf = NCFRanker(gmf=FrozenEstimator(gmf), mlp=mlp, **WIDTHS, **STILL)
    copy = clone(neumf).fit(board.events)
    assert copy.gmf_ is gmf
    assert copy.mlp_ is not mlp


def test_a_part_that_knows_other_ids_gives_what_it_knows(board, trained):
    gmf, _ = trained
    renamed = board.events.assign(item_id=59 - board.events["item_id"])
    more = pd.concat([renamed, pd.DataFrame({"user_id": [-5, 100], "item_id": [-7, 100]})], ignore_index=True)
    neumf = NCFRanker(gmf=gmf, **WIDTHS, **STILL).fit(more)
    known = np.isin(neumf.items_, gmf.items_)
    assert (neumf.item_embeddings_[known, :5] == gmf.item_embeddings_).all()
    assert neumf.items_[~known].tolist() == [-7, 100]
    assert np.abs(neumf.item_embeddings_[~known, :5]).max() < np.abs(gmf.item_embeddings_).max()


def test_pre_training_helps(board, trained):
    gmf, mlp = (clone(part).set_params(epochs=15).fit(board.events) for part in trained)
    short = {**WIDTHS, "epochs": 1, "learning_rate": 0.001}
    assert board.own_share(NCFRanker(gmf=gmf, mlp=mlp, **short).fit(board.events)) > 0.9
    assert board.own_share(NCFRanker(**short).fit(board.events)) < 0.6


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        ({"embedding_dim": 6}, "embeddings of dimension 5.*dimension 6.*embedding_dim"),
        ({"mlp_embedding_dim": 6}, "embeddings of dimension 4.*dimension 6.*mlp_embedding_dim"),
        ({"hidden_units": (8, 4)}, "layers of the pre-trained mlp differ.*hidden_units"),
        ({"hidden_units": (8,)}, "layers of the pre-trained mlp differ.*hidden_units"),
        ({"hidden_units": (8, 3, 2)}, "layers of the pre-trained mlp differ.*hidden_units"),
        ({"architecture": "gmf"}, "architecture='neumf' of this model, got .* and 'gmf'"),
    ],
    ids=str,
)
def test_parts_of_another_shape_are_refused(board, trained, unchanged, parameters, match):
    gmf, mlp = trained
    neumf = NCFRanker(**{"gmf": gmf, "mlp": mlp, **WIDTHS, **STILL, **parameters})
    with unchanged(neumf), pytest.raises(ValueError, match=match):
        neumf.fit(board.events)


def test_parts_must_be_what_they_are_called(board, trained, unchanged):
    gmf, mlp = trained
    swapped = NCFRanker(gmf=mlp, mlp=gmf, **WIDTHS)
    with (
        unchanged(swapped),
        pytest.raises(ValueError, match="gmf= requires an estimator with architecture='gmf'.*'mlp'"),
    ):
        swapped.fit(board.events)
    with pytest.raises(ValueError, match="The 'gmf' parameter of NCFRanker must be"):
        NCFRanker(gmf="yes").fit(board.events)


def test_matrix_factorisation_is_a_dot_product_and_the_bias_of_the_item(board, ranker):
    model = ranker(architecture="mf").fit(board.events)
    scores = model.score_items(model.users_)
    biases = scores - model.user_embeddings_ @ model.item_embeddings_.T
    assert biases == pytest.approx(np.broadcast_to(biases[0], biases.shape), abs=1e-5)
    vectors = model.encode_queries(model.users_) @ model.encode_items(model.items_).T
    assert scores - vectors == pytest.approx(np.full(scores.shape, (scores - vectors).mean()), abs=1e-5)


def test_an_unknown_user_is_served_by_popularity():
    rng = np.random.default_rng(0)
    items = np.arange(40)
    share = 0.9**items / (0.9**items).sum()
    X = pd.DataFrame({"user_id": rng.integers(0, 150, 3000), "item_id": rng.choice(items, 3000, p=share)})
    model = NCFRanker(architecture="mf", random_state=0).fit(X)
    by_count = X["item_id"].value_counts()
    scores = model.score_items([-1])[0]
    assert np.corrcoef(scores, np.log(by_count[model.items_]))[0, 1] > 0.98


@pytest.mark.parametrize(
    ("architecture", "width"), [("gmf", 5), ("mf", 5), ("mlp", 4), ("neumf", 9)]
)  # fmt: skip
def test_widths_of_the_embeddings(board, architecture, width):
    model = NCFRanker(architecture=architecture, **WIDTHS, **STILL).fit(board.events)
    assert model.user_embeddings_.shape == (48, width)
    assert model.item_embeddings_.shape == (60, width)
    with pytest.raises(ValueError, match="read-only"):
        model.item_embeddings_[0] = 0


@pytest.mark.parametrize(("architecture", "share"), [("mlp", None), ("neumf", 0.2), ("gmf", 0.6)])
def test_the_penalty_goes_by_the_architecture(architecture, share, board):
    penalty = 0.0001
    if share is not None:
        n_ids = board.train["user_id"].nunique() * board.train["item_id"].nunique()
        n_pairs = len(board.train[["user_id", "item_id"]].drop_duplicates())
        penalty = share * (n_pairs / n_ids**0.5) ** (-2 / 3)
    settings = {**WIDTHS, "architecture": architecture, "epochs": 1}
    del settings["l2"]
    chosen = NCFRanker(**settings).fit(board.train)
    named, other = (NCFRanker(**settings, l2=l2).fit(board.train) for l2 in (penalty, 2 * penalty))
    assert chosen.l2 == "auto"
    assert (chosen.item_embeddings_ == named.item_embeddings_).all()
    assert (chosen.item_embeddings_ != other.item_embeddings_).any()


def test_an_mlp_learns_more_than_what_is_popular_as_it_comes():
    events = make_interactions(random_state=0)
    train, test = next(LeaveLastOut().split(events))
    score = make_ranking_scorer("ndcg@10")
    popular = score(PopularityRanker().fit(events.iloc[train]), events.iloc[test])
    assert score(NCFRanker(architecture="mlp", random_state=0).fit(events.iloc[train]), events.iloc[test]) > 2 * popular


@pytest.mark.parametrize("weighted", [False, True])
def test_the_events_of_a_user_share_a_softmax(weighted):
    """The loss is that of single events: recomputed for users with 1 to 40 events, of which one item occurs twice."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"user_id": np.repeat(np.arange(9), 5 * np.arange(9) + 1), "item_id": 0})
    X["item_id"] = rng.integers(0, 30, len(X))
    weight = rng.uniform(0.5, 3, len(X)) if weighted else np.ones(len(X))
    model = NCFRanker(architecture="mf", early_stopping=False, **STILL, **{**WIDTHS, "batch_size": len(X)})
    model.fit(X.sample(frac=1, random_state=0), sample_weight=weight[X.sample(frac=1, random_state=0).index])
    tables = {name: model._weights[f"{name}/embeddings"] for name in ("user", "item", "item_bias")}
    scores = tables["user"] @ tables["item"].T + tables["item_bias"].T  # the unknown item is in the catalogue, too
    users, items = (
        1 + np.searchsorted(ids, X[role]) for ids, role in ((model.users_, "user_id"), (model.items_, "item_id"))
    )
    each = np.log(np.exp(scores).sum(axis=1))[users] - scores[users, items]
    assert model.loss_curve_ == [pytest.approx(np.average(each, weights=weight), rel=1e-5)]


def test_one_event_without_interest_changes_nothing_but_its_share():
    """A table with an explicit negative is trained event by event, and learns the same."""
    X = make_interactions(40, 20, 900, random_state=0)[["user_id", "item_id"]]
    settings = {"architecture": "mf", "epochs": 30, "learning_rate": 0.02, "l2": 0.03, "random_state": 0}
    together = NCFRanker(**settings, early_stopping=False).fit(X)
    apart = NCFRanker(**settings, early_stopping=False).fit(X, np.append(0.0, np.ones(len(X) - 1)))
    one, other = (
        model.encode_queries(model.users_) @ model.encode_items(model.items_).T for model in (together, apart)
    )
    agreement = [np.corrcoef(a, b)[0, 1] for a, b in zip(one, other, strict=True)]
    assert np.median(agreement) > 0.9
