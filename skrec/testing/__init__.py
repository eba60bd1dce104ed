"""Checks of recommenders, for the models of skrec and for models of your own."""

from skrec.testing._check_recommender import check_recommender
from skrec.testing._discovery import all_estimators

__all__ = ["all_estimators", "check_recommender"]
