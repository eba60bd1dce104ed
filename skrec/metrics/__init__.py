"""Ranking metrics and scikit-learn scorers."""

from skrec.metrics._ranking import (
    average_precision_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from skrec.metrics._scorers import RankingReport, get_scorer, make_ranking_scorer

__all__ = [
    "RankingReport",
    "average_precision_at_k",
    "get_scorer",
    "hit_rate_at_k",
    "make_ranking_scorer",
    "ndcg_at_k",
    "precision_at_k",
    "recall_at_k",
    "reciprocal_rank_at_k",
]
