"""Compare several models and the popularity baseline under one protocol."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.model_selection import check_cv

from skrec._data.targets.labels import check_aligned, read_labels
from skrec._recommend import is_recommender
from skrec._sklearn_compat import num_samples, safe_indexing
from skrec.metrics import (
    PairedComparison,
    RankingReport,
    bootstrap_interval,
    get_scorer,
    make_ranking_scorer,
    paired_permutation_test,
)
from skrec.metrics._scorers import RankingScorer
from skrec.model_selection import LeaveLastOut
from skrec.models import PopularityRanker

__all__ = ["Comparison", "compare"]

_Part = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Result of :func:`compare`.

    Parameters
    ----------
    table : DataFrame of shape (n_models, n_columns)
        One row per model, in the given order, the baseline last. For each metric with per-user values: its mean over
        the users and the limits ``{metric} low`` and ``{metric} high`` of its bootstrap confidence interval; for
        other metrics the mean over the splits alone. Then ``fit_seconds`` and ``rank_seconds``, means over the splits.
    metrics : list of str
        Names of the metrics, in the order of ``scoring``.
    per_user : dict of str to DataFrame of shape (n_users, n_metrics)
        For each model, the metric values of each user, as input of :func:`skrec.metrics.paired_permutation_test`;
        averaged over the splits for users who appear in several.
    protocol : str
        The protocol, see :func:`skrec.metrics.make_ranking_scorer`.
    confidence_level : float
        Confidence level of the intervals.
    cold_user_share, cold_item_share : float
        Shares of the held-out users, and of the (user, item) pairs whose item, was not in the training data; means over
        the splits.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import compare
    >>> from skrec.models import PopularityRanker
    >>> events = make_interactions(n_users=50, n_items=30, n_interactions=500, random_state=0)
    >>> comparison = compare({"counts": PopularityRanker()}, events, scoring="ndcg@5", baseline=False)
    >>> comparison.table.columns.tolist()
    ['ndcg@5', 'ndcg@5 low', 'ndcg@5 high', 'fit_seconds', 'rank_seconds']
    """

    table: pd.DataFrame
    metrics: list[str]
    per_user: dict[str, pd.DataFrame] = field(repr=False)
    protocol: str
    confidence_level: float
    cold_user_share: float
    cold_item_share: float

    def test(self, a: str, b: str, metric: str | None = None, *, random_state: Any = 0) -> PairedComparison:
        """Test whether two of the models differ by more than chance, user by user.

        Parameters
        ----------
        a, b : str
            Names of the models.
        metric : str or None, default=None
            A metric with values per user. If None, the first one.
        random_state : int, RandomState or None, default=0
            Random state of the resampling. Pass an int for reproducible results.

        Returns
        -------
        PairedComparison
            See :func:`skrec.metrics.paired_permutation_test`.

        Raises
        ------
        ValueError
            If the model or metric is unknown, or the test is not possible.

        Examples
        --------
        >>> from skrec.datasets import make_interactions
        >>> from skrec.inspection import compare
        >>> from skrec.models import PopularityRanker
        >>> events = make_interactions(n_users=50, n_items=30, n_interactions=500, random_state=0)
        >>> comparison = compare([PopularityRanker()], events)
        >>> comparison.test("PopularityRanker", "popularity").p_value
        1.0
        """
        for name in (a, b):
            if name not in self.per_user:
                raise ValueError(f"There is no model {name!r}: there are {', '.join(map(repr, self.per_user))}.")
        of_users = [*self.per_user[a]]
        if metric is not None and metric not in of_users:
            raise ValueError(f"{metric!r} has no values by user; these have: {', '.join(of_users) or 'none'}.")
        if metric is None and not of_users:
            raise ValueError(f"None of the metrics has values by user: {', '.join(self.metrics)}.")
        metric = of_users[0] if metric is None else metric
        return paired_permutation_test(
            self.per_user[a][metric],
            self.per_user[b][metric],
            confidence_level=self.confidence_level,
            random_state=random_state,
        )


def compare(
    estimators: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any = None,
    scoring: Any = None,
    groups: Any = None,
    baseline: bool = True,
    confidence_level: float = 0.95,
    n_resamples: int = 9999,
    random_state: Any = 0,
    verbose: int = 0,
) -> Comparison:
    """Fit several models and a baseline on the same splits, and evaluate them with the same protocol.

    Every model, and by default :class:`~skrec.models.PopularityRanker`, is cloned, fitted on the training part of each
    split, and used to rank items for the users of the test part.

    Parameters
    ----------
    estimators : dict of str to estimator, sequence of (str, estimator) or of estimators, or estimator
        Unfitted models, or Pipelines and searches around them; they are cloned. Estimators without a name are named
        after their class.
    X : table of shape (n_rows, n_columns)
        One event per row.
    y : array-like of shape (n_rows,) or None, default=None
        Labels, for estimators and protocols that take them.
    cv : splitter, iterable of (train, test), int or None, default=None
        The splits. None means one split by :class:`skrec.model_selection.LeaveLastOut`, with the baseline's columns. An
        int means scikit-learn's KFold or StratifiedKFold over the rows, which lets models train on the future.
    scoring : str, sequence of str, ranking scorer or None, default=None
        Metrics as for :func:`skrec.metrics.make_ranking_scorer`, or a scorer made by it, for instance with
        another protocol. If None, ``["ndcg@10", "recall@10"]`` with full ranking.
    groups : array-like of shape (n_rows,) or None, default=None
        Groups for splitters that use them.
    baseline : bool, default=True
        Whether to add PopularityRanker, as ``"popularity"``. It takes its user, item and time columns from
        the parameters of the first skrec model among the estimators.
    confidence_level : float, default=0.95
        Confidence level of the intervals, between 0 and 1.
    n_resamples : int, default=9999
        Number of bootstrap resamples of the users.
    random_state : int, RandomState or None, default=0
        Random state of the bootstrap; the models have their own.
    verbose : int, default=0
        If above 0, print a line for each model and split.

    Returns
    -------
    Comparison
        The results; its `table` has one row per model.

    Raises
    ------
    ValueError
        If there are no estimators, two share a name, `y` or `groups` do not fit the rows of `X`, or a metric or split
        is not possible.
    TypeError
        If `scoring` is not a ranking metric, or an estimator is a class or has no ``fit``.
    Exception
        Any error of a model is raised with a note that names the model and the split.

    See Also
    --------
    ComparisonDisplay : Plot the intervals.
    skrec.metrics.paired_permutation_test : Test a difference; called by ``Comparison.test``.

    Notes
    -----
    The time to import TensorFlow is not counted. The first fit of an architecture takes longer than later ones because
    its network is traced; see the guide on tuning.

    The intervals show how much a mean depends on which users were held out, not how much it depends on a model's
    random state. Models whose intervals overlap may still differ significantly, since they are evaluated on the same
    users: ``Comparison.test`` compares them user by user.

    Examples
    --------
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import compare
    >>> from skrec.models import NCFRanker
    >>> events = make_interactions(random_state=0)
    >>> comparison = compare({"MF": NCFRanker(architecture="mf", random_state=0)}, events, scoring="recall@10")
    >>> comparison.table["recall@10"].idxmax()
    'MF'
    >>> comparison.test("MF", "popularity").p_value < 0.01
    True
    """
    models = dict(_named(estimators))
    scorer = _ranking_scorer(scoring)
    check_aligned(X, {"groups": groups})
    if y is not None:
        read_labels(y, X)
    roles = _roles(models.values())
    splitter = LeaveLastOut(**roles) if cv is None else cv
    if baseline:
        if "popularity" in models:
            raise ValueError(
                "The baseline is called 'popularity', and so is an estimator: rename it, or pass baseline=False."
            )
        models["popularity"] = PopularityRanker(**roles)
    parts = _parts(X, y, groups, splitter)
    _import_engine(models.values())
    judged: dict[str, list[_Judged]] = {name: [] for name in models}
    for name, model in models.items():
        for i, part in enumerate(parts, start=1):
            try:
                judged[name].append(_judge(model, scorer, X, y, part))
            except Exception as error:
                error.add_note(f"Raised by the model {name!r} in split {i} of {len(parts)} of compare.")
                raise
            if verbose:
                print(f"{name}, split {i} of {len(parts)}: {judged[name][-1]}", flush=True)  # noqa: T201
    per_user = {name: _by_user([one.report for one in found]) for name, found in judged.items()}
    settings = {"confidence_level": confidence_level, "n_resamples": n_resamples, "random_state": random_state}
    rows = {name: _row(judged[name], per_user[name], settings) for name in models}
    first = next(iter(judged.values()))
    return Comparison(
        table=pd.DataFrame.from_dict(rows, orient="index").rename_axis("model"),
        metrics=[*first[0].report.metrics],
        per_user=per_user,
        protocol=scorer.protocol,
        confidence_level=float(confidence_level),
        cold_user_share=float(np.mean([one.report.cold_user_share for one in first])),
        cold_item_share=float(np.mean([one.report.cold_item_share for one in first])),
    )


@dataclass(frozen=True, eq=False)
class _Judged:
    """One model on one split."""

    report: RankingReport
    fit_seconds: float
    rank_seconds: float

    def __str__(self) -> str:
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in self.report.metrics.items())
        return f"{metrics}; fitted in {self.fit_seconds:.1f} s, ranked in {self.rank_seconds:.1f} s"


def _named(estimators: Any) -> Iterator[tuple[str, Any]]:
    """Yield the name and the estimator of each model."""
    if isinstance(estimators, Mapping):
        pairs = list(estimators.items())
    else:
        listed = [estimators] if hasattr(estimators, "get_params") else list(estimators)
        pairs = [
            one if isinstance(one, tuple) and len(one) == 2 else (type(_model(one)).__name__, one) for one in listed
        ]
    if not pairs:
        raise ValueError("estimators is empty: pass at least one.")
    names = [name for name, _ in pairs]
    for name, estimator in pairs:
        if isinstance(estimator, type):
            raise TypeError(f"{name!r} is the class {estimator.__name__}: pass an object, {estimator.__name__}().")
        if not hasattr(estimator, "fit"):
            raise TypeError(f"{name!r} is not an estimator: {estimator!r} has no fit method.")
        if names.count(name) > 1:
            raise ValueError(f"Two estimators are called {name!r}: name them in a dict.")
        yield name, estimator


def _ranking_scorer(scoring: Any) -> RankingScorer:
    if scoring is None:
        scoring = ["ndcg@10", "recall@10"]
    if isinstance(scoring, str):
        scoring = get_scorer(scoring)
    elif isinstance(scoring, Sequence):
        scoring = make_ranking_scorer(list(scoring))
    if not isinstance(scoring, RankingScorer):
        raise TypeError(
            "scoring must name ranking metrics, such as 'ndcg@10', or be made by make_ranking_scorer, got "
            f"{scoring!r}. For other scorers use scikit-learn's cross_validate."
        )
    return scoring


def _roles(estimators: Iterable[Any]) -> dict[str, Any]:
    """Return the column parameters of the first skrec model."""
    for model in map(_model, estimators):
        if is_recommender(model):
            return {role: getattr(model, role, None) for role in ("user", "item", "time")}
    return {}


def _import_engine(estimators: Iterable[Any]) -> None:
    """Import TensorFlow if there is a network, so that the import is not part of a measured time."""
    if any(hasattr(_model(estimator), "_build_network") for estimator in estimators):
        import skrec._engine.training  # noqa: F401


def _model(estimator: Any) -> Any:
    """Return the last step of a Pipeline or the estimator of a search, which need not be fitted."""
    while hasattr(estimator, "steps") or hasattr(estimator, "estimator"):
        estimator = estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator.estimator
    return estimator


def _parts(X: Any, y: Any, groups: Any, cv: Any) -> list[_Part]:
    parts = [(np.asarray(train), np.asarray(test)) for train, test in check_cv(cv, y).split(X, y, groups)]
    if not parts:
        raise ValueError(f"cv={cv!r} yields no split of the {num_samples(X)} rows.")
    return parts


def _judge(model: Any, scorer: RankingScorer, X: Any, y: Any, part: _Part) -> _Judged:
    """Fit a clone on the training part, and evaluate it on the test part."""
    (X_train, X_test), (y_train, y_test) = (
        [None if data is None else safe_indexing(data, rows) for rows in part] for data in (X, y)
    )
    started = time.perf_counter()
    fitted = clone(model).fit(X_train, y_train)
    trained = time.perf_counter()
    report = scorer.evaluate(fitted, X_test, y_test)
    return _Judged(report, trained - started, time.perf_counter() - trained)


def _by_user(reports: Sequence[RankingReport]) -> pd.DataFrame:
    """Return the values of each user, averaged over the splits."""
    if len(reports) == 1:
        return reports[0].per_user
    together = pd.concat([report.per_user for report in reports])
    return together.groupby(level=0, sort=False).mean()


def _row(judged: Sequence[_Judged], per_user: pd.DataFrame, settings: Mapping[str, Any]) -> dict[str, float]:
    row: dict[str, float] = {}
    for metric in judged[0].report.metrics:
        if metric in per_user:
            low, high = bootstrap_interval(per_user[metric], **settings)
            row |= {metric: float(per_user[metric].mean()), f"{metric} low": low, f"{metric} high": high}
        else:
            row[metric] = float(np.mean([one.report.metrics[metric] for one in judged]))
    for name in ("fit_seconds", "rank_seconds"):
        row[name] = float(np.mean([getattr(one, name) for one in judged]))
    return row
