"""The names of ranking metrics, such as ``"ndcg@10"``."""

import re
from collections.abc import Sequence
from difflib import get_close_matches

from skrec.metrics._functions import FunctionMetric

PER_RANK = ("ndcg", "recall", "capped_recall", "precision", "hit_rate", "map", "mrr")
"""Metrics that are computed from the ranks of the relevant items."""

PER_LIST = ("coverage", "novelty", "diversity", "serendipity", "neg_gini", "neg_popularity")
"""Metrics of the first k items of the whole catalogue, beyond relevance."""

WITHOUT_K = ("map", "mrr", "auc")
"""Metrics that evaluate the whole list if there is no k."""

_ALIASES = {"hr": "hit_rate", "hit": "hit_rate", "average_precision": "map", "reciprocal_rank": "mrr"}
_LOWER_IS_BETTER = {"gini": "a lower Gini index", "popularity": "a lower mean popularity"}
_KINDS = {*PER_RANK, *PER_LIST, "auc"}
_KNOWN = ", ".join([*(f"{kind}@k" for kind in PER_RANK), *WITHOUT_K, *(f"{kind}@k" for kind in PER_LIST)])


def parse_metric(name: str) -> tuple[str, int | None]:
    """Split a metric's name, such as ``"ndcg@10"``, into its kind and its k.

    Parameters
    ----------
    name : str
        One of ``ndcg``, ``recall``, ``capped_recall``, ``precision``, ``hit_rate`` (or ``hr``), ``map``, ``mrr``,
        ``coverage``, ``novelty``, ``diversity``, ``serendipity``, ``neg_gini`` and ``neg_popularity``, then ``@`` and a
        whole number of at least 1; or ``map``, ``mrr`` or ``auc`` alone.

    Returns
    -------
    kind : str
        The canonical name of the metric.
    k : int or None
        The length of the list that is evaluated, or None for the whole list. A :class:`FunctionMetric` has the kind
        "function" and may use the whole list.

    Raises
    ------
    ValueError
        If the metric is unknown, or k is missing, not allowed, or not an integer of at least 1.

    Examples
    --------
    >>> parse_metric("hr@10"), parse_metric("auc")
    (('hit_rate', 10), ('auc', None))
    """
    if isinstance(name, FunctionMetric):
        return "function", None
    if not isinstance(name, str):
        raise TypeError(f"A metric is named by a string such as 'ndcg@10', got {name!r}.")
    kind, at, k = name.partition("@")
    if kind in _LOWER_IS_BETTER:
        raise ValueError(
            f"There is no ranking metric {name!r}: scores must be better when greater, but {_LOWER_IS_BETTER[kind]} "
            f"is better. Write 'neg_{kind}@{k or 10}', the negated value."
        )
    if kind not in _KINDS and kind not in _ALIASES:
        close = get_close_matches(kind.strip().lower(), sorted({*_KINDS, *_ALIASES}), n=1)
        like = f"{close[0]}" if close == ["auc"] else f"{close[0]}@{k or 10}" if close else ""
        hint = f" Did you mean {like!r}?" if like else ""
        raise ValueError(f"There is no ranking metric {name!r}.{hint} Known: {_KNOWN}.")
    kind = _ALIASES.get(kind, kind)
    if not at:
        if kind not in WITHOUT_K:
            raise ValueError(f"Metric {name!r} lacks the length of the list: write, for example, '{name}@10'.")
        return kind, None
    if kind == "auc":
        raise ValueError(f"There is no ranking metric {name!r}: the AUC evaluates the whole list. Write 'auc'.")
    least = 2 if kind == "diversity" else 1  # a list of one item has no pairs
    if not re.fullmatch("[0-9]+", k) or int(k) < least:
        raise ValueError(
            f"k of metric {name!r} is {k!r}; it must be a whole number of at least {least}, as in '{kind}@10'."
        )
    return kind, int(k)


def is_per_list(name: str) -> bool:
    """Return whether a metric describes lists beyond relevance; see `parse_metric` for names.

    Examples
    --------
    >>> is_per_list("novelty@10"), is_per_list("ndcg@10")
    (True, False)
    """
    return parse_metric(name)[0] in PER_LIST


def depth_of(names: Sequence[str]) -> int | None:
    """Return the length of the list that metrics evaluate: the largest k, or None if one evaluates the whole list.

    Examples
    --------
    >>> depth_of(["ndcg@5", "recall@20"]), depth_of(["ndcg@5", "map"])
    (20, None)
    """
    depths = [parse_metric(name)[1] for name in names]
    return None if None in depths else max((k for k in depths if k is not None), default=None)
