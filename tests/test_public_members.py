"""Code that serves and evaluates models reaches them through public members, so that anybody's model will do."""

import ast
import pathlib

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

import skrec
from skrec.base import ClosedFormRanker, Roles
from skrec.metrics import make_ranking_scorer
from skrec.models import FMRanker
from skrec.preprocessing import IDEncoder

PACKAGE = pathlib.Path(skrec.__file__).parent
OF_OTHERS = {"_score_func"}  # how scikit-learn's scorers are told from functions
EVENTS = pd.DataFrame({"customer": list("aabbbc"), "sku": list("xyyzzw")})
COLUMNS = {"user": 0, "item": 1}


def private_names(tree, *, defined):
    """Return the private names that code defines, or those of attributes that it reads of other objects."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name, own = node.name, True
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name, own = node.target.id, True
        elif isinstance(node, ast.Attribute):
            name, own = node.attr, isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr"):
            name, own = ast.unparse(node.args[1]).strip("f'\""), False
        else:
            continue
        if name.startswith("_") and not name.startswith("__") and own == defined:
            found.add(name)
    return found


@pytest.mark.parametrize("folder", ["_recommend", "metrics"])
def test_no_private_name_of_a_model_is_read(folder):
    trees = {path.name: ast.parse(path.read_text()) for path in (PACKAGE / folder).glob("*.py")}
    own = set().union(*(private_names(tree, defined=True) for tree in trees.values()))
    read = {name: private_names(tree, defined=False) - own - OF_OTHERS for name, tree in trees.items()}
    allowed = {"_protocol.py": {"_estimator_roles"}}  # of classes that were written before roles_ was public
    assert {name: names for name, names in read.items() if names - allowed.get(name, set())} == {}


class Ordered(BaseEstimator):
    """A ranker without a base class of skrec: items by a number of their own, the same for all users."""

    def __init__(self, numbers=()):
        self.numbers = numbers

    def fit(self, X, y=None):
        rows = np.asarray(X)
        self.n_features_in_ = rows.shape[1]
        self.users_, self.items_ = np.unique(rows[:, 0]), np.unique(rows[:, 1])
        self.roles_ = Roles(**COLUMNS)
        self.rows_ = rows
        return self

    def role_ids(self, X):
        return np.asarray(X)[:, 0], np.asarray(X)[:, 1]

    def seen_items(self, queries):
        seen = [[((self.rows_ == (user, item)).all(axis=1)).any() for item in self.items_] for user in queries]
        return csr_array(np.array(seen, dtype=bool).reshape(len(queries), len(self.items_)))

    def score_items(self, queries, candidates=None):
        items = self.items_ if candidates is None else np.asarray(candidates)
        return np.tile(np.asarray(self.numbers, np.float32)[np.searchsorted(self.items_, items)], (len(queries), 1))

    def recommend(self, queries, k=10, *, candidates=None, exclude_seen=True, as_frame=True):
        assert not as_frame
        items = self.items_ if candidates is None else np.asarray(candidates)
        scores = self.score_items(queries, items)
        if exclude_seen:
            scores[self.seen_items(queries).toarray()[:, np.searchsorted(self.items_, items)]] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return items[best], np.take_along_axis(scores, best, axis=1)


class Counted(ClosedFormRanker):
    """A ranker on a public base alone."""

    def _solve(self, matrix):
        self.counts_ = np.asarray(matrix.sum(axis=0), np.float32).ravel()

    def _scores(self, histories):
        return np.tile(self.counts_, (histories.shape[0], 1))


MODELS = {
    "without a base": (Ordered([1.0, 4.0, 2.0, 3.0]), ["x", "w", "x", "z"], 0.75, 1.0),  # the numbers of w, x, y, z
    "with a public base": (Counted(), ["w", "x", "y", "z"], 0.5, 0.5),  # w and x are there once, y and z twice
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_of_anybody_is_served_and_evaluated(name):
    model, best, mrr, among_one = MODELS[name]
    pipeline = make_pipeline(IDEncoder(), model.set_params(**{} if name[:7] == "without" else COLUMNS)).fit(EVENTS)
    assert skrec.recommend(pipeline, ["b", "c"], 2).iloc[:, 1].tolist() == best
    assert skrec.recommend(pipeline, ["b"], 1, candidates=["y", "z"], exclude_seen=False).iloc[0, 1] in "yz"
    test = pd.DataFrame({"customer": ["b", "c"], "sku": ["x", "z"]})
    assert make_ranking_scorer("mrr@3")(pipeline, test) == mrr
    lists = {"b": ["w"], "c": ["y"]}
    pairs = pd.DataFrame({"customer": ["b", "c"], "sku": ["w", "y"]})
    for candidates in (lists, pd.Series(lists), pairs):
        scorer = make_ranking_scorer("mrr@3", protocol="sampled", candidates=candidates)
        assert scorer(pipeline, test) == among_one


def test_what_models_tell_of_their_columns():
    events = EVENTS.assign(timestamp=range(6), mood=list("ghghgh"), genre=EVENTS["sku"] + "!")
    model = FMRanker(user="customer", item="sku", item_features=["genre"], epochs=1, random_state=0).fit(events)
    assert model.roles_ == Roles(user=0, item=1, time=2, names=tuple(events.columns))
    assert (model.roles_.user_name, model.roles_.item_name) == ("customer", "sku")
    assert (model.feature_positions("query"), model.feature_positions("item")) == ((3,), (4,))
    assert model.query_times(events[["customer", "timestamp"]]).tolist() == list(range(6))
    assert model.query_times(events[["customer"]]) is None
