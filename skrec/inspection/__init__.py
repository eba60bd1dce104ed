"""What a fitted model has learnt: importance of fields, strength of crosses, attention; and their plots."""

from skrec.inspection._attention import attention_weights
from skrec.inspection._cross_strengths import cross_strengths
from skrec.inspection._displays import AttentionDisplay, CrossStrengthDisplay, FieldImportanceDisplay
from skrec.inspection._field_importance import field_importance
from skrec.inspection._history_attention import history_attention
from skrec.inspection._history_display import HistoryAttentionDisplay

__all__ = [
    "AttentionDisplay",
    "CrossStrengthDisplay",
    "FieldImportanceDisplay",
    "HistoryAttentionDisplay",
    "attention_weights",
    "cross_strengths",
    "field_importance",
    "history_attention",
]
