"""Recommenders and models of features as scikit-learn estimators."""

from skrec.models._autoint import AutoIntClassifier, AutoIntRanker, AutoIntRegressor
from skrec.models._dcn import DCNClassifier, DCNRanker, DCNRegressor
from skrec.models._deepfm import DeepFMClassifier, DeepFMRanker, DeepFMRegressor
from skrec.models._din import DINClassifier, DINRanker, DINRegressor
from skrec.models._dnn import DNNClassifier, DNNRanker, DNNRegressor
from skrec.models._fm import FMClassifier, FMRanker, FMRegressor
from skrec.models._gru4rec import GRU4RecRanker
from skrec.models._ncf import NCFClassifier, NCFRanker, NCFRegressor
from skrec.models._nfm import NFMClassifier, NFMRanker, NFMRegressor
from skrec.models._popularity import PopularityRanker
from skrec.models._sasrec import SASRecRanker
from skrec.models._wide_deep import WideDeepClassifier, WideDeepRanker, WideDeepRegressor

__all__ = [
    "AutoIntClassifier",
    "AutoIntRanker",
    "AutoIntRegressor",
    "DCNClassifier",
    "DCNRanker",
    "DCNRegressor",
    "DINClassifier",
    "DINRanker",
    "DINRegressor",
    "DNNClassifier",
    "DNNRanker",
    "DNNRegressor",
    "DeepFMClassifier",
    "DeepFMRanker",
    "DeepFMRegressor",
    "FMClassifier",
    "FMRanker",
    "FMRegressor",
    "GRU4RecRanker",
    "NCFClassifier",
    "NCFRanker",
    "NCFRegressor",
    "NFMClassifier",
    "NFMRanker",
    "NFMRegressor",
    "PopularityRanker",
    "SASRecRanker",
    "WideDeepClassifier",
    "WideDeepRanker",
    "WideDeepRegressor",
]
