"""Scorers by name, those of scikit-learn included."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import sklearn.metrics

from skrec.metrics._metric_names import WITHOUT_K
from skrec.metrics._scorers import SHARES, make_ranking_scorer

__all__ = ["get_scorer"]


def get_scorer(scoring: str | Callable[..., Any]) -> Callable[..., Any]:
    """Return a scorer by name: a ranking metric such as ``"ndcg@10"``, or a scorer of scikit-learn.

    scikit-learn raises an error for names that it does not know, such as ``scoring="ndcg@10"``. Pass
    ``scoring=get_scorer("ndcg@10")`` instead.

    Parameters
    ----------
    scoring : str or callable
        A metric of :func:`make_ranking_scorer`, such as ``"ndcg@10"`` or ``"auc"``, for full ranking; or a name in
        :func:`sklearn.metrics.get_scorer_names`. A callable is returned unchanged.

    Returns
    -------
    callable
        A scorer ``(estimator, X, y)``.

    Raises
    ------
    ValueError
        If the name is unknown.

    Examples
    --------
    >>> from skrec.metrics import get_scorer
    >>> get_scorer("recall@20")
    RankingScorer(metrics='recall@20')
    >>> get_scorer("accuracy")
    make_scorer(accuracy_score, response_method='predict')
    """
    if callable(scoring):
        return scoring
    others = sklearn.metrics.get_scorer_names()
    if scoring in others:
        scorer: Callable[..., Any] = sklearn.metrics.get_scorer(scoring)
        return scorer
    if isinstance(scoring, str) and "@" not in scoring and scoring not in (*SHARES, *WITHOUT_K):
        close = get_close_matches(scoring, [*others, *SHARES], n=1, cutoff=0.8)
        if close:
            raise ValueError(f"There is no scorer {scoring!r}. Did you mean {close[0]!r}?")
    return make_ranking_scorer(scoring)
