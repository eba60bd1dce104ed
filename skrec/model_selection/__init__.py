"""Cross-validation splitters that respect users and time, and hyperparameter search with Optuna."""

from skrec.model_selection._cold import ColdItemKFold, ColdUserKFold
from skrec.model_selection._leave_last_out import LeaveLastOut
from skrec.model_selection._optuna_search import OptunaSearchCV
from skrec.model_selection._search_space import search_space
from skrec.model_selection._temporal import TemporalSplit
from skrec.model_selection._user_holdout import UserHoldout
from skrec.model_selection._warm import WarmKFold
from skrec.model_selection._within_user import WithinUserKFold

__all__ = [
    "ColdItemKFold",
    "ColdUserKFold",
    "LeaveLastOut",
    "OptunaSearchCV",
    "TemporalSplit",
    "UserHoldout",
    "WarmKFold",
    "WithinUserKFold",
    "search_space",
]
