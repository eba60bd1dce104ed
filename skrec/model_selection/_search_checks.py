"""Checks of the parameters of a search, and the score that it maximises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sklearn.metrics import get_scorer_names

from skrec._data.tables.spelling import closest

__all__ = ["check_names_of_scorers", "check_options", "maximised"]


def check_options(search: Any) -> None:
    """Raise an error if parameters of a search contradict each other."""
    for name in ("sampler", "pruner", "storage"):
        value = getattr(search, name)
        if isinstance(value, type):
            raise TypeError(f"{name} is the class {value.__name__}: pass an instance, {value.__name__}(...).")
    if (search.storage is None) != (search.study_name is None):
        given, missing = ("storage", "study_name") if search.study_name is None else ("study_name", "storage")
        raise ValueError(
            f"{given} was given without {missing}, but both are needed to find a study. Pass {missing}= as well."
        )
    if search.n_trials is None and search.timeout is None and search.sampler is None:
        raise ValueError("n_trials and timeout are both None: the search would never end. Pass one of them.")
    if not (search.scoring is None or isinstance(search.scoring, str) or callable(search.scoring)):
        _check_refit_is_a_name(search)


def check_names_of_scorers(scoring: Any) -> None:
    """Raise an error if a scorer is named that does not exist."""
    given = scoring.values() if isinstance(scoring, dict) else scoring
    known = get_scorer_names()
    for name in [given] if isinstance(given, str) else given if isinstance(given, Iterable) else []:
        if isinstance(name, str) and name not in known:
            guess = closest(name, known)
            hint = f" Did you mean {guess!r}?" if guess else ""
            raise ValueError(
                f"scoring names {name!r}, which is not in sklearn.metrics.get_scorer_names().{hint} For ranking "
                "metrics, pass a scorer such as skrec.metrics.make_ranking_scorer('ndcg@10')."
            )


def maximised(search: Any, scores: Any) -> float:
    """Return the score to maximise from the scores of a fold."""
    if not isinstance(scores, dict):
        return float(scores)
    _check_refit_is_a_name(search)
    if search.refit not in scores:
        guess = closest(search.refit, list(scores))
        hint = f"Did you mean {guess!r}?" if guess else f"The metrics are {', '.join(map(repr, scores))}."
        raise ValueError(f"refit={search.refit!r} is not one of the metrics of scoring. {hint}")
    return float(scores[search.refit])


def _check_refit_is_a_name(search: Any) -> None:
    if not isinstance(search.refit, str):
        raise ValueError(  # noqa: TRY004, as scikit-learn does
            f"With several metrics, refit must be the name of the metric to maximise, got {search.refit!r}."
        )
