"""Base classes for models of your own: each is one class of hyper-parameters and a function that builds the network.

The user guide, "Adding a model in one file", shows how. Constraints of parameters are scikit-learn's, which has no
public name for them: ``Interval``, ``Options`` and ``StrOptions`` are here too.
"""

from skrec._sklearn_compat import Interval, Options, StrOptions
from skrec.models._base import NetworkRecommender
from skrec.models._closed_form import ClosedFormRanker
from skrec.models._fields import FieldModel, FieldRanker
from skrec.models._functions import InputSpec, NetworkFunction, NetworkFunctions
from skrec.models._histories import HistoryModel
from skrec.models._multilabel import NetworkMultilabelClassifier
from skrec.models._ranking import NetworkRanker, RankerMixin
from skrec.models._recommender import Recommender
from skrec.models._sequences import SequenceRanker
from skrec.models._tasks import NetworkClassifier, NetworkRegressor

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
