"""Generated interactions with a known right answer, and published data sets."""

from skrec.datasets._base import get_data_home
from skrec.datasets._interactions import InteractionTruth, make_interactions
from skrec.datasets._movielens import MovieLens, fetch_movielens

__all__ = ["InteractionTruth", "MovieLens", "fetch_movielens", "get_data_home", "make_interactions"]
