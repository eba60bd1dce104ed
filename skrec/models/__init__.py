"""Recommenders and models of tabular features as scikit-learn estimators."""

from typing import TYPE_CHECKING

from skrec._lazy import lazy_names

if TYPE_CHECKING:
    from skrec.models.autoencoders._autorec import AutoRecRegressor
    from skrec.models.autoencoders._multinomial import MultDAERanker, MultVAERanker
    from skrec.models.autoencoders._recvae import RecVAERanker
    from skrec.models.baselines._popularity import PopularityRanker
    from skrec.models.content._content import ContentRanker
    from skrec.models.factors._als import ALSRanker
    from skrec.models.factors._ncf import NCFClassifier, NCFRanker, NCFRegressor
    from skrec.models.factors._nmf import NMFRanker
    from skrec.models.factors._pure_svd import PureSVDRanker
    from skrec.models.features._autoint import AutoIntClassifier, AutoIntRanker, AutoIntRegressor
    from skrec.models.features._dcn import DCNClassifier, DCNRanker, DCNRegressor
    from skrec.models.features._deepfm import DeepFMClassifier, DeepFMRanker, DeepFMRegressor
    from skrec.models.features._dnn import DNNClassifier, DNNRanker, DNNRegressor
    from skrec.models.features._fm import FMClassifier, FMRanker, FMRegressor
    from skrec.models.features._nfm import NFMClassifier, NFMRanker, NFMRegressor
    from skrec.models.features._wide_deep import WideDeepClassifier, WideDeepRanker, WideDeepRegressor
    from skrec.models.graphs._lightgcn import LightGCNRanker
    from skrec.models.graphs._mkr import MKRClassifier, MKRRanker
    from skrec.models.linear._ease import EASERanker
    from skrec.models.linear._slim import SLIMRanker
    from skrec.models.neighbors._item_knn import ItemKNNRanker
    from skrec.models.neighbors._rp3beta import RP3BetaRanker
    from skrec.models.neighbors._user_knn import UserKNNRanker
    from skrec.models.sequences._din import DINClassifier, DINRanker, DINRegressor
    from skrec.models.sequences._gru4rec import GRU4RecRanker
    from skrec.models.sequences._sasrec import SASRecRanker

__all__ = [
    "ALSRanker",
    "AutoIntClassifier",
    "AutoIntRanker",
    "AutoIntRegressor",
    "AutoRecRegressor",
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
    "EASERanker",
    "FMClassifier",
    "FMRanker",
    "FMRegressor",
    "GRU4RecRanker",
    "ItemKNNRanker",
    "MultDAERanker",
    "MultVAERanker",
    "LightGCNRanker",
    "MKRClassifier",
    "MKRRanker",
    "NCFClassifier",
    "NCFRanker",
    "NCFRegressor",
    "NFMClassifier",
    "NFMRanker",
    "NFMRegressor",
    "NMFRanker",
    "PopularityRanker",
    "PureSVDRanker",
    "RP3BetaRanker",
    "RecVAERanker",
    "SASRecRanker",
    "SLIMRanker",
    "UserKNNRanker",
    "WideDeepClassifier",
    "WideDeepRanker",
    "WideDeepRegressor",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "skrec.models.autoencoders._autorec": ["AutoRecRegressor"],
        "skrec.models.autoencoders._multinomial": ["MultDAERanker", "MultVAERanker"],
        "skrec.models.autoencoders._recvae": ["RecVAERanker"],
        "skrec.models.baselines._popularity": ["PopularityRanker"],
        "skrec.models.content._content": ["ContentRanker"],
        "skrec.models.factors._als": ["ALSRanker"],
        "skrec.models.factors._ncf": ["NCFClassifier", "NCFRanker", "NCFRegressor"],
        "skrec.models.factors._nmf": ["NMFRanker"],
        "skrec.models.factors._pure_svd": ["PureSVDRanker"],
        "skrec.models.features._autoint": ["AutoIntClassifier", "AutoIntRanker", "AutoIntRegressor"],
        "skrec.models.features._dcn": ["DCNClassifier", "DCNRanker", "DCNRegressor"],
        "skrec.models.features._deepfm": ["DeepFMClassifier", "DeepFMRanker", "DeepFMRegressor"],
        "skrec.models.features._dnn": ["DNNClassifier", "DNNRanker", "DNNRegressor"],
        "skrec.models.features._fm": ["FMClassifier", "FMRanker", "FMRegressor"],
        "skrec.models.features._nfm": ["NFMClassifier", "NFMRanker", "NFMRegressor"],
        "skrec.models.features._wide_deep": ["WideDeepClassifier", "WideDeepRanker", "WideDeepRegressor"],
        "skrec.models.graphs._lightgcn": ["LightGCNRanker"],
        "skrec.models.graphs._mkr": ["MKRClassifier", "MKRRanker"],
        "skrec.models.linear._ease": ["EASERanker"],
        "skrec.models.linear._slim": ["SLIMRanker"],
        "skrec.models.neighbors._item_knn": ["ItemKNNRanker"],
        "skrec.models.neighbors._rp3beta": ["RP3BetaRanker"],
        "skrec.models.neighbors._user_knn": ["UserKNNRanker"],
        "skrec.models.sequences._din": ["DINClassifier", "DINRanker", "DINRegressor"],
        "skrec.models.sequences._gru4rec": ["GRU4RecRanker"],
        "skrec.models.sequences._sasrec": ["SASRecRanker"],
    },
)
