"""The Optuna study of a search: open it, and read and write the results of its candidates."""

from __future__ import annotations

import json
import logging
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from skrec._sklearn_compat import num_samples, safe_indexing

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

__all__ = [
    "checksum",
    "finished_trials",
    "fold_results",
    "identity",
    "keep",
    "open_study",
    "quiet",
    "seeded_sampler",
    "storage_of",
    "without_result",
]

# User attributes: the search that a study belongs to; the results of the folds of a trial, and its first error.
_SEARCH, _FOLDS, _ERROR = "skrec:search", "skrec:folds", "skrec:error"


def storage_of(storage: str | BaseStorage | None) -> BaseStorage | None:
    """Return the storage for a URL; return any other storage unchanged."""
    from optuna.storages import RDBStorage

    if not isinstance(storage, str):
        return storage
    if "://" not in storage:
        raise ValueError(
            f"storage={storage!r} is not a database URL. For a file use 'sqlite:///{storage}', or pass a storage of "
            "Optuna, such as JournalStorage(JournalFileBackend(path))."
        )
    return RDBStorage(storage)


def seeded_sampler(seed: int, n_finished: int) -> BaseSampler:
    """Return the default sampler, seeded for the next candidate.

    It depends only on the seed and on the finished candidates, and not on those that a killed process left running (no
    constant liar), so that a resumed search continues exactly as it would have without the interruption.
    """
    from optuna.samplers import TPESampler

    words = np.random.SeedSequence([seed, n_finished]).generate_state(1)
    return TPESampler(seed=int(words[0]), constant_liar=False)


def open_study(
    storage: BaseStorage | None,
    study_name: str | None,
    *,
    sampler: BaseSampler | None,
    pruner: BasePruner | None,
    search: Mapping[str, Any],
) -> Study:
    """Create a study, or load the existing study of this name.

    Parameters
    ----------
    storage : BaseStorage or None
        The storage of the study. If None, it is kept in memory.
    study_name : str or None
        If None, Optuna makes up a name.
    sampler : BaseSampler or None
        If None, Optuna's default.
    pruner : BasePruner or None
        If None, no trial is pruned.
    search : dict
        The description of the search, see :func:`identity`.

    Raises
    ------
    ValueError
        If the study does not maximise one score, or belongs to another search.
    """
    import optuna

    study = optuna.create_study(
        storage=storage,
        sampler=sampler,
        pruner=pruner or optuna.pruners.NopPruner(),
        study_name=study_name,
        direction="maximize",
        load_if_exists=study_name is not None,
    )
    if [direction.name for direction in study.directions] != ["MAXIMIZE"]:
        raise ValueError(
            f"The study {study_name!r} was not created to maximise one score, which a search needs. Choose another "
            "study_name, or create the study with optuna.create_study(direction='maximize')."
        )
    now = json.loads(json.dumps(search))
    before = study.user_attrs.get(_SEARCH)
    if before is None:
        study.set_user_attr(_SEARCH, now)
        return study
    pairs = {name: (before.get(name), now.get(name)) for name in [*now, *before]}
    changed = [f"{name} was {old!r} and is {new!r}" for name, (old, new) in pairs.items() if old != new]
    if changed:
        raise ValueError(
            f"The study {study_name!r} belongs to another search: {'; '.join(changed)}. The scores of the two searches "
            "cannot be compared. Choose another study_name, or restore the previous settings."
        )
    return study


def identity(
    estimator: Any, distributions: Mapping[str, BaseDistribution], scoring: Any, **more: Any
) -> dict[str, Any]:
    """Describe a search by the settings that must not change for its scores to be comparable.

    Ranges of numbers may change, as in Optuna. Choices, scales and names of parameters may not.
    """
    inside = [f"{name}={type(part).__name__}" for name, part in estimator.get_params().items() if hasattr(part, "fit")]
    return {
        "estimator": f"{type(estimator).__name__}({', '.join(inside)})",
        "scoring": _description(scoring),
        **more,
        **{f"the parameter {name}": _kind(each) for name, each in distributions.items()},
    }


def checksum(*tables: Any) -> str:
    """Describe tables by their number of rows and a checksum of some rows, which differs between folds and files."""
    parts = []
    for table in tables:
        n = 0 if table is None else num_samples(table)
        rows = np.unique(np.linspace(0, n - 1, min(n, 32)).astype(int))
        parts += [n, *np.asarray(safe_indexing(table, rows), dtype=object).ravel()] if n else [n]
    return f"{parts[0]} with checksum {zlib.crc32(' '.join(map(str, parts)).encode()):08x}"


def _kind(distribution: BaseDistribution) -> Any:
    choices = getattr(distribution, "choices", None)
    if choices is not None:
        return list(choices)
    return type(distribution).__name__ + (", log" if getattr(distribution, "log", False) else "")


def _description(scoring: Any) -> Any:
    if isinstance(scoring, Mapping):
        return {name: _description(scorer) for name, scorer in scoring.items()}
    if isinstance(scoring, list | tuple):
        return list(scoring)
    if scoring is None or isinstance(scoring, str):
        return scoring
    text = repr(scoring)
    return getattr(scoring, "__qualname__", type(scoring).__qualname__) if " at 0x" in text else text


def keep(trial: Trial, folds: list[dict[str, Any]], error: str | None) -> None:
    """Store the results of a trial's folds and the first error of its fits in the study."""
    if error is not None:
        trial.set_user_attr(_ERROR, error)
    trial.set_user_attr(_FOLDS, folds)


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Return the trials that a search has finished, whatever their outcome, in order.

    Trials that a killed process left running and trials that were not added by a search are left out.
    """
    trials = study.get_trials(deepcopy=False)
    return [trial for trial in trials if trial.state.is_finished() and _FOLDS in trial.user_attrs]


def fold_results(
    trials: Sequence[FrozenTrial], n_splits: int, error_score: Any, *, with_train: bool
) -> list[dict[str, Any]]:
    """Return the results of all folds of the trials in the form that ``BaseSearchCV._format_results`` expects.

    A missing score is `error_score` if the fit failed, and NaN if there was no fit or it was pruned.
    """
    nothing = {"fit_time": np.nan, "score_time": np.nan, "test_scores": None, "train_scores": None}
    of_trials = [trial.user_attrs[_FOLDS] for trial in trials]
    scores = [fold["test_scores"] for folds in of_trials for fold in folds if fold["test_scores"] is not None]
    names = list(scores[0]) if isinstance(scores[0], dict) else None
    results = []
    for trial, folds in zip(trials, of_trials, strict=True):
        missing = np.nan if trial.state.name == "PRUNED" or error_score == "raise" else error_score
        filler = missing if names is None else dict.fromkeys(names, missing)
        for fold in [*folds, *[nothing] * (n_splits - len(folds))]:
            result = {name: fold[name] for name in ("fit_time", "score_time")}
            for part in ("test_scores", "train_scores") if with_train else ("test_scores",):
                result[part] = filler if fold[part] is None else fold[part]
            results.append(result)
    return results


def without_result(trials: Sequence[FrozenTrial], study_name: str | None, error_score: Any) -> str:
    """Return the error message for a search in which no finished trial has a result."""
    if not trials:
        return "No candidate was finished within timeout: pass a larger timeout."
    n_pruned = sum(trial.state.name == "PRUNED" for trial in trials)
    text = (
        f"None of the {len(trials)} candidates was fitted and scored on all folds: {len(trials) - n_pruned} failed, "
        f"{n_pruned} were pruned."
    )
    failed = [trial for trial in trials if _ERROR in trial.user_attrs]
    if study_name is not None:
        text += f" They count in the study {study_name!r}: choose another study_name to start over."
    if not failed and n_pruned < len(trials):
        text += f" {_first_nan(trials)}"
        if error_score != "raise":
            text += " If an error caused this, error_score='raise' shows it."
    if failed:
        text += (
            f" The first error, in trial {failed[0].number} with {failed[0].params}:\n{failed[0].user_attrs[_ERROR]}"
        )
    return text


def nan_score(folds: Sequence[Mapping[str, Any]]) -> tuple[int, str] | None:
    """Return the split and the scorer name of the first test score that is NaN, or None if there is none."""
    for split, fold in enumerate(folds):
        scores = fold["test_scores"]
        named = scores if isinstance(scores, dict) else {"score": scores}
        name = next((name for name, score in named.items() if score is not None and np.isnan(score)), None)
        if name is not None:
            return split, name
    return None


def _first_nan(trials: Sequence[FrozenTrial]) -> str:
    for trial in trials:
        found = nan_score(trial.user_attrs[_FOLDS])
        if found is not None:
            return told_nan(*found, trial.number, trial.params)
    return "Their scores are NaN."


def told_nan(split: int, name: str, number: int, parameters: Mapping[str, Any]) -> str:
    """Return a message that names the scorer that returned NaN, the trial and the split."""
    which = "scoring" if name == "score" else f"the scorer {name!r}"
    return (
        f"In trial {number} with {dict(parameters)}, {which} returned NaN on the test part of split {split}. To see "
        "why, call it with an estimator with these parameters, fitted on the training part."
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from logging the outcome of every trial in this thread, without changing the user's verbosity."""
    thread = threading.get_ident()

    def passes(record: logging.LogRecord) -> bool:
        of_trials = record.name == "optuna.study._optimize"  # failed trials, about which the search warns itself
        return record.thread != thread or (record.levelno > logging.INFO and not of_trials)

    names = [name for name in logging.Logger.manager.loggerDict if name.split(".")[0] == "optuna"]
    loggers = [logging.getLogger(name) for name in names]
    for logger in loggers:
        logger.addFilter(passes)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(passes)
