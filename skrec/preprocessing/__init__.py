"""Transformers for tables of interactions that can be used wherever scikit-learn's transformers can."""

from skrec.preprocessing._autoencoder_features import AutoencoderFeatures
from skrec.preprocessing._feature_crosses import FeatureCrosses
from skrec.preprocessing._graph_features import GraphFeatures
from skrec.preprocessing._history_encoder import HistoryEncoder
from skrec.preprocessing._id_encoder import IDEncoder
from skrec.preprocessing._multi_hot import MultiHotEncoder

__all__ = [
    "AutoencoderFeatures",
    "FeatureCrosses",
    "GraphFeatures",
    "HistoryEncoder",
    "IDEncoder",
    "MultiHotEncoder",
]
