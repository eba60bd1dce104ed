"""Optuna's study of a search: opened or found again, and what it holds of each candidate."""

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

# User attributes: of the study, what search it belongs to; of a trial, the results of its folds, and the first error.
_SEARCH, _FOLDS, _ERROR = "skrec:search", "skrec:folds", "skrec:error"


def storage_of(storage: str | BaseStorage | None) -> BaseStorage | None:
    """Return the storage that a URL names; others as they are."""
    from optuna.storages import RDBStorage

    if not isinstance(storage, str):
        return storage
    if "://" not in storage:
        raise ValueError(
            f"storage={storage!r} is no URL. Of a file it is 'sqlite:///{storage}'; or pass a storage of Optuna, such "
            "as JournalStorage(JournalFileBackend(path))."
        )
    return RDBStorage(storage)


def seeded_sampler(seed: int, n_finished: int) -> BaseSampler:
    """Return the default sampler, seeded for the next candidate.

    It depends on the seed and on what is finished alone, also on what a killed process left running (no constant liar),
    so that a search which is resumed goes on as it would have gone on.
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
    """Make a study, or find the one of this name again.

    Parameters
    ----------
    storage : BaseStorage or None
        Where it is, or will be; None: in memory.
    study_name : str or None
        None: one that has a name of its own.
    sampler : BaseSampler or None
        None: Optuna's default.
    pruner : BasePruner or None
        None: nothing is pruned.
    search : dict
        What makes scores comparable, see :func:`identity`.

    Raises
    ------
    ValueError
        If the study does not maximise one score, or another search has been at it.
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
            f"The study {study_name!r} was not made to maximise one score, as a search does. Choose another "
            "study_name, or make it with optuna.create_study(direction='maximize')."
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
            f"The study {study_name!r} belongs to another search: {'; '.join(changed)}. Scores of the two cannot be "
            "compared. Choose another study_name, or search as before."
        )
    return study


def identity(
    estimator: Any, distributions: Mapping[str, BaseDistribution], scoring: Any, **more: Any
) -> dict[str, Any]:
    """Describe a search by what has to stay the same for its scores to be comparable.

    Ranges of numbers may change, as in Optuna; choices, scales and names of parameters may not.
    """
    inside = [f"{name}={type(part).__name__}" for name, part in estimator.get_params().items() if hasattr(part, "fit")]
    return {
        "estimator": f"{type(estimator).__name__}({', '.join(inside)})",
        "scoring": _description(scoring),
        **more,
        **{f"the parameter {name}": _kind(each) for name, each in distributions.items()},
    }


def checksum(*tables: Any) -> str:
    """Describe tables by their number of rows and a checksum of some: another fold or another file gives another."""
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
    """Store the results of a trial's folds in the study, and the first error of its fits."""
    if error is not None:
        trial.set_user_attr(_ERROR, error)
    trial.set_user_attr(_FOLDS, folds)


def finished_trials(study: Study) -> list[FrozenTrial]:
    """Return the trials that a search has finished, whatever came of them, in their order.

    Left out are those that a killed process left running, and those that something else than a search added.
    """
    trials = study.get_trials(deepcopy=False)
    return [trial for trial in trials if trial.state.is_finished() and _FOLDS in trial.user_attrs]


def fold_results(
    trials: Sequence[FrozenTrial], n_splits: int, error_score: Any, *, with_train: bool
) -> list[dict[str, Any]]:
    """Return the results of all folds of trials, in the form that ``BaseSearchCV._format_results`` takes.

    A score that is missing is `error_score` where the fit failed, and NaN where there was no fit or it was pruned.
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
    """Say why none of the finished trials has a result."""
    if not trials:
        return "No candidate was finished within timeout: give it more seconds."
    n_pruned = sum(trial.state.name == "PRUNED" for trial in trials)
    text = (
        f"None of the {len(trials)} candidates was fitted and scored on all folds: {len(trials) - n_pruned} failed, "
        f"{n_pruned} were pruned."
    )
    failed = [trial for trial in trials if _ERROR in trial.user_attrs]
    if study_name is not None:
        text += f" They count in the study {study_name!r}: choose another study_name to start anew."
    if not failed and n_pruned < len(trials):
        text += f" {_first_nan(trials)}"
        if error_score != "raise":
            text += " If it failed with an error, error_score='raise' shows it."
    if failed:
        text += (
            f" The first error, of trial {failed[0].number} with {failed[0].params}:\n{failed[0].user_attrs[_ERROR]}"
        )
    return text


def nan_score(folds: Sequence[Mapping[str, Any]]) -> tuple[int, str] | None:
    """Return the split, and the name of the scorer, of the first score of a test part that is NaN; None without one."""
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
    """Say which scorer gave NaN, and where."""
    which = "scoring" if name == "score" else f"the scorer {name!r}"
    return (
        f"In trial {number} with {dict(parameters)}, {which} gave NaN on the test part of split {split}. Call it with "
        "an estimator of these parameters, fitted on the training part, to see why."
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from logging what every trial came to, in this thread; the verbosity that the user set stays."""
    thread = threading.get_ident()

    def passes(record: logging.LogRecord) -> bool:
        of_trials = record.name == "optuna.study._optimize"  # of failed ones, of which the search warns
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
