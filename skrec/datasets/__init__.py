"""Generated interactions with a known ground truth, published data sets, and conversion of matrices into events."""

from skrec.datasets._base import get_data_home
from skrec.datasets._interactions import InteractionTruth, make_interactions
from skrec.datasets._matrices import events_from_matrix, matrix_from_events
from skrec.datasets._movielens import MovieLens, fetch_movielens

__all__ = [
    "InteractionTruth",
    "MovieLens",
    "events_from_matrix",
    "fetch_movielens",
    "get_data_home",
    "make_interactions",
    "matrix_from_events",
]
