"""Base classes for custom models: a model is a class of hyperparameters and a function that builds the network.

See "Adding a model in one file" in the user guide. ``Interval``, ``Options`` and ``StrOptions`` are scikit-learn's
parameter constraints, which have no public name there; booleans are not numbers to them.
"""

from skrec._data import Roles
from skrec._recommend import FittedRecommender
from skrec._sklearn_compat import Interval, Options, StrOptions
from skrec.base.autoencoder import AutoencoderRanker
from skrec.base.classifier import NetworkClassifier
from skrec.base.closed_form import ClosedFormRanker
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.functions import InputSpec, NetworkFunction, NetworkFunctions
from skrec.base.history_model import HistoryModel
from skrec.base.multilabel import NetworkMultilabelClassifier
from skrec.base.network import NetworkRecommender
from skrec.base.ranker import NetworkRanker
from skrec.base.ranker_mixin import RankerMixin
from skrec.base.recommender import Recommender
from skrec.base.regressor import NetworkRegressor
from skrec.base.sequence_ranker import SequenceRanker

__all__ = [
    "AutoencoderRanker",
    "ClosedFormRanker",
    "FieldModel",
    "FieldRanker",
    "FittedRecommender",
    "HistoryModel",
    "InputSpec",
    "Interval",
    "NetworkClassifier",
    "NetworkFunction",
    "NetworkFunctions",
    "NetworkMultilabelClassifier",
    "NetworkRanker",
    "NetworkRecommender",
    "NetworkRegressor",
    "Options",
    "RankerMixin",
    "Recommender",
    "Roles",
    "SequenceRanker",
    "StrOptions",
]
