"""Base classes for models of your own: each is one class of hyper-parameters and a function that builds the network.

The user guide, "Adding a model in one file", shows how. Constraints of parameters are scikit-learn's, which has no
public name for them: ``Interval``, ``Options`` and ``StrOptions`` are here too.
"""

from skrec._sklearn_compat import Interval, Options, StrOptions
from skrec.base.closed_form import ClosedFormRanker
from skrec.base.field_model import FieldModel, FieldRanker
from skrec.base.functions import InputSpec, NetworkFunction, NetworkFunctions
from skrec.base.history_model import HistoryModel
from skrec.base.multilabel import NetworkMultilabelClassifier
from skrec.base.network import NetworkRecommender
from skrec.base.ranker import NetworkRanker, RankerMixin
from skrec.base.recommender import Recommender
from skrec.base.sequence_ranker import SequenceRanker
from skrec.base.tasks import NetworkClassifier, NetworkRegressor

__all__ = [
    "ClosedFormRanker",
    "FieldModel",
    "FieldRanker",
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
    "SequenceRanker",
    "StrOptions",
]
