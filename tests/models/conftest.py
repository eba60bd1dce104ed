"""Data with a known right answer, and the tools that the tests of all models share."""

import pickle
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from skrec._engine import program_cache as program
from skrec.models import NCFClassifier, NCFRanker, NCFRegressor

N_GROUPS = 3


@pytest.fixture(scope="session", autouse=True)
def many_programs():
    """Keep more traced programs than users need: tests fit more kinds of network in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "_CACHE_SIZE", 24)
        yield


@dataclass(frozen=True)
class Board:
    """A checkerboard: users of a group like the items of the same group, and no other.

    ``train`` and ``held_out`` part all pairs of users and items at random; ``events`` are the liked ones of ``train``.
    """

    train: pd.DataFrame
    held_out: pd.DataFrame

    @property
    def events(self):
        return pairs(self.train[liked(self.train)])

    def own_share(self, model, k=5, **options):
        """The share of recommended items that are of the user's own group: 1 is right, 1/3 is chance."""
        return liked(model.recommend(np.unique(self.train["user_id"]), k=k, **options)).mean()


def liked(frame):
    return (frame["user_id"] % N_GROUPS == frame["item_id"] % N_GROUPS).to_numpy()


def pairs(frame):
    return frame[["user_id", "item_id"]].reset_index(drop=True)


@pytest.fixture(scope="session")
def board():
    n_users, n_items = 48, 60
    random = np.random.default_rng(0)
    users, items = np.divmod(random.permutation(n_users * n_items), n_items)
    frame = pd.DataFrame({"user_id": users, "item_id": items})
    train = random.random(len(frame)) < 0.6
    return Board(pairs(frame[train]), pairs(frame[~train]))


FAST = {"epochs": 20, "batch_size": 64, "learning_rate": 0.01, "l2": 0, "random_state": 0}
ALL_EPOCHS = {**FAST, "early_stopping": False}


@pytest.fixture(scope="session")
def ranker():
    """Make a small ranker that learns the checkerboard in a second; keyword arguments are its parameters."""
    return lambda **parameters: NCFRanker(**{**FAST, "architecture": "gmf", "embedding_dim": 8, **parameters})


@pytest.fixture(scope="session")
def classifier():
    return lambda **parameters: NCFClassifier(**{**ALL_EPOCHS, "architecture": "gmf", "embedding_dim": 8, **parameters})


@pytest.fixture(scope="session")
def regressor():
    return lambda **parameters: NCFRegressor(**{**ALL_EPOCHS, "architecture": "gmf", "embedding_dim": 8, **parameters})


@pytest.fixture(scope="session")
def fitted_ranker(board, ranker):
    return ranker().fit(board.events)


@pytest.fixture(scope="session")
def unchanged():
    """A context in which nothing about an estimator may change, whatever is raised."""

    @contextmanager
    def context(estimator):
        before = {name: pickle.dumps(value) for name, value in vars(estimator).items()}
        yield
        assert {name: pickle.dumps(value) for name, value in vars(estimator).items()} == before

    return context
