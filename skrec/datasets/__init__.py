"""Generated interactions with a known right answer, published data sets, and matrices turned into events."""

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
