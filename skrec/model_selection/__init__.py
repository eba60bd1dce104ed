"""Splitters that respect users and time."""

from skrec.model_selection._leave_last_out import LeaveLastOut

__all__ = ["LeaveLastOut"]
