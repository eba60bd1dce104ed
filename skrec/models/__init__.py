"""Recommenders and models of tabular features as scikit-learn estimators."""

from skrec.models.baselines._popularity import PopularityRanker
from skrec.models.content._content import ContentRanker
from skrec.models.factors._ncf import NCFClassifier, NCFRanker, NCFRegressor
from skrec.models.features._autoint import AutoIntClassifier, AutoIntRanker, AutoIntRegressor
from skrec.models.features._dcn import DCNClassifier, DCNRanker, DCNRegressor
from skrec.models.features._deepfm import DeepFMClassifier, DeepFMRanker, DeepFMRegressor
from skrec.models.features._dnn import DNNClassifier, DNNRanker, DNNRegressor
from skrec.models.features._fm import FMClassifier, FMRanker, FMRegressor
from skrec.models.features._nfm import NFMClassifier, NFMRanker, NFMRegressor
from skrec.models.features._wide_deep import WideDeepClassifier, WideDeepRanker, WideDeepRegressor
from skrec.models.sequences._din import DINClassifier, DINRanker, DINRegressor
from skrec.models.sequences._gru4rec import GRU4RecRanker
from skrec.models.sequences._sasrec import SASRecRanker

__all__ = [
    "AutoIntClassifier",
    "AutoIntRanker",
    "AutoIntRegressor",
    "ContentRanker",
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
