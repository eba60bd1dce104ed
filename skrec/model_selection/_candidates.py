"""Evaluate one candidate of a search: fit and score its folds, and report the scores to the trial."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
from joblib import effective_n_jobs
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.utils.parallel import Parallel, delayed

from skrec._sklearn_compat import fit_and_score
from skrec._warnings import warn
from skrec.model_selection._pruning import EpochReporter, report_epochs
from skrec.model_selection._search_space import Space
from skrec.model_selection._study import keep, nan_score, told_nan

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["Candidates"]


@dataclass(frozen=True)
class Candidates:
    """The objective of a study: a candidate's mean test score.

    It does for one candidate what ``BaseSearchCV.fit`` does for all of them. In addition it can stop between folds, it
    stores the results in the study, and it continues the search if all folds of a candidate fail.

    Parameters
    ----------
    estimator : estimator
        The estimator to tune. It is cloned for every fit.
    space : Space
        The search space.
    X, y : array-like
        The data.
    splits : list of (train, test)
        The folds; they are the same for all candidates.
    score : callable
        Function that takes the output of the scorers and returns the score to maximise.
    n_jobs : int or None
        Number of folds to fit in parallel.
    settings : dict
        Arguments of scikit-learn's ``_fit_and_score``, including `error_score`, the score of a fold whose fit failed.
    """

    estimator: Any
    space: Space
    X: Any
    y: Any
    splits: list[tuple[Any, Any]]
    score: Callable[[Any], float]
    n_jobs: int | None
    settings: Mapping[str, Any]

    def __call__(self, trial: Trial) -> float:
        """Fit and score the folds of a trial.

        Returns
        -------
        float
            NaN tells Optuna that the trial failed.

        Raises
        ------
        optuna.TrialPruned
            If the pruner decides to prune, after an epoch of the first fold or between folds.
        Exception
            With ``error_score="raise"``, the error that the fit or the scorer raised.
        """
        from optuna import TrialPruned

        parameters = self.space.suggest(trial)
        estimators = [clone(self.estimator) for _ in self.splits]
        reporter = report_epochs(estimators[0], trial)
        folds: list[dict[str, Any]] = []
        errors: list[str] = []
        pruned = False
        for result in self._results(estimators, parameters, reporter):
            error = result.get("fit_error")
            if error is not None and not reporter.pruned:
                errors.append(error)
            folds.append(_stored(result, scored=error is None and not reporter.pruned))
            pruned = reporter.pruned or (not reporter.heard and self._falls_behind(trial, folds))
            if pruned:
                break
        keep(trial, folds, errors[0] if errors else None)
        if errors:
            self._warn(trial, parameters, errors)
        elif not pruned and (found := nan_score(folds)) is not None:
            warn(told_nan(*found, trial.number, parameters))
        if pruned:
            raise TrialPruned(f"Pruned after {len(folds)} of {len(self.splits)} folds.")
        return float("nan") if len(errors) == len(self.splits) else self._mean(folds)

    def _results(
        self, estimators: list[Any], parameters: dict[str, Any], reporter: EpochReporter
    ) -> Iterator[dict[str, Any]]:
        """Fit and score the folds one after another, or in parallel."""
        from optuna import TrialPruned

        n = len(self.splits)
        calls = [
            (
                (estimator, self.X, self.y),
                {"train": train, "test": test, "parameters": parameters, "split_progress": (i, n), **self.settings},
            )
            for i, (estimator, (train, test)) in enumerate(zip(estimators, self.splits, strict=True))
        ]
        start = time.perf_counter()
        try:
            if self._at_once:
                yield from Parallel(n_jobs=self.n_jobs)(delayed(fit_and_score)(*data, **rest) for data, rest in calls)
                return
            for data, rest in calls:
                start = time.perf_counter()
                yield fit_and_score(*data, **rest)
        except TrialPruned:  # with error_score="raise"
            reporter.pruned = True
            yield {"fit_time": time.perf_counter() - start, "score_time": 0.0}

    @property
    def _at_once(self) -> bool:
        """Whether folds are fitted in parallel, so that no fold can be skipped."""
        return len(self.splits) > 1 and effective_n_jobs(self.n_jobs) > 1

    def _falls_behind(self, trial: Trial, folds: list[dict[str, Any]]) -> bool:
        """Report the mean score of the folds so far, and return whether to skip the remaining folds."""
        mean = self._mean(folds)
        if self._at_once or not np.isfinite(mean):
            return False
        trial.report(mean, len(folds) - 1)
        return len(folds) < len(self.splits) and trial.should_prune()

    def _mean(self, folds: list[dict[str, Any]]) -> float:
        scores = [fold["test_scores"] for fold in folds]
        return float(np.mean([self.settings["error_score"] if each is None else self.score(each) for each in scores]))

    def _warn(self, trial: Trial, parameters: dict[str, Any], errors: list[str]) -> None:
        warn(
            f"{len(errors)} of {len(self.splits)} fits of trial {trial.number} with {parameters} failed. Their scores "
            f"are set to {self.settings['error_score']}; pass error_score='raise' to stop instead. The first error:\n"
            f"{errors[0]}",
            FitFailedWarning,
        )


def _stored(result: Mapping[str, Any], *, scored: bool) -> dict[str, Any]:
    """Return the results of a fold for ``cv_results_`` in a form that JSON can hold; missing scores are None."""
    stored: dict[str, Any] = {name: float(result[name]) for name in ("fit_time", "score_time")}
    for name in ("test_scores", "train_scores"):
        scores = result.get(name) if scored else None
        plain = {key: float(value) for key, value in scores.items()} if isinstance(scores, dict) else scores
        stored[name] = float(plain) if isinstance(plain, Real) else plain
    return stored
