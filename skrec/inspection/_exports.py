"""What exports of a model cost and what they lose."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import as_rows
from skrec._export import network_bytes
from skrec._recommend import is_recommender, recommend, unwrap
from skrec.metrics import make_ranking_scorer
from skrec.metrics._scorers import RankingScorer
from skrec.persistence import save
from skrec.serving import load

__all__ = ["compare_exports"]

_WARM_UP = 5


def compare_exports(
    exports: Mapping[str, Any],
    X: Any,
    y: Any = None,
    *,
    scoring: Any = "ndcg@10",
    k: int = 10,
    n_queries: int = 200,
    trusted: Iterable[Any] | None = None,
    random_state: Any = 0,
) -> pd.DataFrame:
    """Compare a model and its exports: bytes, the time of one recommendation, and ranking quality on held-out rows.

    Parameters
    ----------
    exports : dict of str to estimator or path
        Fitted estimators, and files that :func:`skrec.export` wrote with ``format="onnx"``. The keys are the names in
        the result.
    X : table of shape (n_rows, n_columns)
        Held-out rows, with the columns of ``fit``.
    y : array-like of shape (n_rows,) or None, default=None
        Labels, as for :func:`skrec.metrics.make_ranking_scorer`.
    scoring : str, sequence of str or ranking scorer, default="ndcg@10"
        Metrics, or a scorer made by :func:`skrec.metrics.make_ranking_scorer`.
    k : int, default=10
        Number of recommended items of the timed calls.
    n_queries : int, default=200
        Number of timed calls, each for one user of `X`, drawn with replacement. All exports answer the same queries, in
        turns.
    trusted : list of classes and functions, default=None
        As in :func:`skrec.save` and :func:`skrec.serving.load`.
    random_state : int, RandomState or None, default=0
        Random state of the draw of users. Pass an int for reproducible results.

    Returns
    -------
    DataFrame of shape (n_exports, 3 + n_metrics)
        One row per export, in the given order. The columns are ``file_bytes``, the size of the file (of an estimator:
        of the file that :func:`skrec.save` writes, with the state of the optimizer if there is any);
        ``network_bytes``, the part of it that holds weights and graphs of networks, 0 without a network; ``p50_ms``,
        the median time of ``recommend`` for one user in milliseconds; and the metrics.

    Raises
    ------
    TypeError
        If `exports` is not a dict, or an estimator cannot recommend items.
    ValueError
        If there are no exports, `X` is empty, or `k` or `n_queries` is below 1.
    IsADirectoryError
        If a path is a folder, such as a SavedModel, which skrec cannot run.

    See Also
    --------
    skrec.export : Write the files.
    compare : Fit several models and compare them.

    Notes
    -----
    Times depend on the machine and on what else it does: compare those of one table.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skrec
    >>> from skrec.datasets import make_interactions
    >>> from skrec.inspection import compare_exports
    >>> from skrec.models import NCFRanker
    >>> events = make_interactions(50, 30, 900, random_state=0)
    >>> model = NCFRanker(epochs=1, random_state=0).fit(events[:800])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "int8.bundle"
    ...     skrec.export(model, path, quantize="int8")
    ...     table = compare_exports({"estimator": model, "int8": path}, events[800:], n_queries=3)
    >>> table.columns.tolist(), table.index.tolist()
    (['file_bytes', 'network_bytes', 'p50_ms', 'ndcg@10'], ['estimator', 'int8'])
    """
    if not isinstance(exports, Mapping):
        raise TypeError(f"exports must be a dict of names to estimators or paths, got {type(exports).__name__}.")
    if not exports:
        raise ValueError("exports is empty: pass at least one estimator or path.")
    for name, value in (("k", k), ("n_queries", n_queries)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} is {value!r}, but must be a whole number of at least 1.")
    scorer = scoring if isinstance(scoring, RankingScorer) else make_ranking_scorer(scoring)
    found = {name: _opened(name, export, trusted) for name, export in exports.items()}
    times = _times({name: estimator for name, (estimator, _) in found.items()}, X, int(k), int(n_queries), random_state)
    rows = {}
    for name, (estimator, n_bytes) in found.items():
        scores = scorer(estimator, X, y)
        rows[name] = {
            "file_bytes": n_bytes,
            "network_bytes": network_bytes(estimator),
            "p50_ms": 1000 * float(np.median(times[name])),
            **(scores if isinstance(scores, dict) else {scorer.__name__: scores}),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("export")
    return table.astype({"file_bytes": "int64", "network_bytes": "int64"})


def _opened(name: str, export: Any, trusted: Iterable[Any] | None) -> tuple[Any, int]:
    """Return the estimator of an export, and the bytes of its file."""
    if isinstance(export, (str, os.PathLike)):
        path = Path(export)
        if path.is_dir():
            raise IsADirectoryError(
                f"The export {name!r} is a folder, {path}: only files that skrec.export wrote with format='onnx' can "
                "be compared."
            )
        estimator = load(path, trusted=trusted)
        estimator, n_bytes = getattr(estimator, "pipeline", estimator), path.stat().st_size
    else:
        estimator = getattr(export, "best_estimator_", export)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "estimator"
            save(estimator, path, trusted=trusted)
            n_bytes = path.stat().st_size
    if not is_recommender(unwrap(estimator).model):
        raise TypeError(f"The export {name!r} is a {type(estimator).__name__}, which cannot recommend items.")
    return estimator, n_bytes


def _times(
    estimators: Mapping[str, Any], X: Any, k: int, n_queries: int, random_state: Any
) -> dict[str, NDArray[np.float64]]:
    """Return the seconds of single recommendations."""
    from sklearn.utils import check_random_state

    users = _users_of(next(iter(estimators.values())), X)
    drawn = check_random_state(random_state).randint(len(users), size=_WARM_UP + n_queries)
    seconds = {name: np.empty(len(drawn)) for name in estimators}
    for number, at in enumerate(drawn):
        for name, estimator in estimators.items():
            started = time.perf_counter()
            recommend(estimator, users[at : at + 1], k)
            seconds[name][number] = time.perf_counter() - started
    return {name: of_one[_WARM_UP:] for name, of_one in seconds.items()}


def _users_of(estimator: Any, X: Any) -> Any:
    """Return the user ids of rows."""
    roles, rows = unwrap(estimator).model.roles_, as_rows(X)
    position = roles.user if rows.names is None else rows.names.index(roles.user_name)
    return rows.column(position)
