"""The models: each architecture as Classifier, Regressor and Ranker, and the baseline they must beat."""

from skrec.models._ncf import NCFClassifier, NCFRanker, NCFRegressor
from skrec.models._popularity import PopularityRanker

__all__ = ["NCFClassifier", "NCFRanker", "NCFRegressor", "PopularityRanker"]
