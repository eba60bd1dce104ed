"""Ranking metrics, metrics beyond accuracy, scikit-learn scorers, and comparisons of models."""

from skrec.metrics._beyond_accuracy import (
    coverage_at_k,
    diversity_at_k,
    gini_at_k,
    novelty_at_k,
    popularity_at_k,
    serendipity_at_k,
)
from skrec.metrics._comparison import PairedComparison, paired_permutation_test
from skrec.metrics._get_scorer import get_scorer
from skrec.metrics._intervals import ConfidenceInterval, bootstrap_interval
from skrec.metrics._per_user import ranking_metrics, user_auc
from skrec.metrics._ranking import (
    average_precision_at_k,
    capped_recall_at_k,
    hit_rate_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank_at_k,
)
from skrec.metrics._report import RankingReport
from skrec.metrics._scorers import make_ranking_scorer

__all__ = [
    "ConfidenceInterval",
    "PairedComparison",
    "RankingReport",
    "average_precision_at_k",
    "bootstrap_interval",
    "capped_recall_at_k",
    "coverage_at_k",
    "diversity_at_k",
    "get_scorer",
    "gini_at_k",
    "hit_rate_at_k",
    "make_ranking_scorer",
    "ndcg_at_k",
    "novelty_at_k",
    "paired_permutation_test",
    "popularity_at_k",
    "precision_at_k",
    "ranking_metrics",
    "recall_at_k",
    "reciprocal_rank_at_k",
    "serendipity_at_k",
    "user_auc",
]
