"""Splitters that respect users and time."""

from skrec.model_selection._cold import ColdItemKFold, ColdUserKFold
from skrec.model_selection._leave_last_out import LeaveLastOut
from skrec.model_selection._temporal import TemporalSplit
from skrec.model_selection._warm import WarmKFold
from skrec.model_selection._within_user import WithinUserKFold

__all__ = ["ColdItemKFold", "ColdUserKFold", "LeaveLastOut", "TemporalSplit", "WarmKFold", "WithinUserKFold"]
