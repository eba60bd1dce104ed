"""Comparison of models and of exports, importance of fields, strengths of crosses, attention, and their plots."""

from skrec.inspection._attention import attention_weights
from skrec.inspection._compare import Comparison, compare
from skrec.inspection._comparison_display import ComparisonDisplay, TrainingCurveDisplay
from skrec.inspection._cross_strengths import cross_strengths
from skrec.inspection._displays import AttentionDisplay, CrossStrengthDisplay, FieldImportanceDisplay
from skrec.inspection._exports import compare_exports
from skrec.inspection._field_importance import field_importance
from skrec.inspection._history_attention import history_attention
from skrec.inspection._history_display import HistoryAttentionDisplay

__all__ = [
    "AttentionDisplay",
    "Comparison",
    "ComparisonDisplay",
    "CrossStrengthDisplay",
    "FieldImportanceDisplay",
    "HistoryAttentionDisplay",
    "TrainingCurveDisplay",
    "attention_weights",
    "compare",
    "compare_exports",
    "cross_strengths",
    "field_importance",
    "history_attention",
]
