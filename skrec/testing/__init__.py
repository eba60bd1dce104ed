"""What every recommender must do, for the models of skrec and for those of other people."""

from skrec.testing._check_recommender import check_recommender
from skrec.testing._discovery import all_estimators

__all__ = ["all_estimators", "check_recommender"]
