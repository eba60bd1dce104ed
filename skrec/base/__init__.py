"""Base classes for custom models: a model is a class of hyperparameters and a function that builds the network.

See "Adding a model in one file" in the user guide. ``Interval``, ``Options`` and ``StrOptions`` are scikit-learn's
parameter constraints, which have no public name there; booleans are not numbers to them.
"""

from typing import TYPE_CHECKING

from skrec._lazy import lazy_names

if TYPE_CHECKING:
    from skrec._data import Roles
    from skrec._estimators import Interval, Options, StrOptions
    from skrec._recommend import FittedRecommender
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

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "skrec._data": ["Roles"],
        "skrec._estimators": ["Interval", "Options", "StrOptions"],
        "skrec._recommend": ["FittedRecommender"],
        "skrec.base.autoencoder": ["AutoencoderRanker"],
        "skrec.base.classifier": ["NetworkClassifier"],
        "skrec.base.closed_form": ["ClosedFormRanker"],
        "skrec.base.field_model": ["FieldModel", "FieldRanker"],
        "skrec.base.functions": ["InputSpec", "NetworkFunction", "NetworkFunctions"],
        "skrec.base.history_model": ["HistoryModel"],
        "skrec.base.multilabel": ["NetworkMultilabelClassifier"],
        "skrec.base.network": ["NetworkRecommender"],
        "skrec.base.ranker": ["NetworkRanker"],
        "skrec.base.ranker_mixin": ["RankerMixin"],
        "skrec.base.recommender": ["Recommender"],
        "skrec.base.regressor": ["NetworkRegressor"],
        "skrec.base.sequence_ranker": ["SequenceRanker"],
    },
)
