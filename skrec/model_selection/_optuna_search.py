"""Hyperparameter search with Optuna behind the API of scikit-learn's searches."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable

from skrec._data.targets.labels import check_aligned
from skrec._sklearn_compat import (
    BaseSearchCV,
    HasMethods,
    Interval,
    MultimetricScorer,
    _fit_context,
    check_method_params,
)
from skrec.model_selection._candidates import Candidates
from skrec.model_selection._pruning import warn_of_idle_pruner
from skrec.model_selection._search_checks import check_names_of_scorers, check_options, maximised
from skrec.model_selection._search_space import Space
from skrec.model_selection._study import (
    checksum,
    finished_trials,
    fold_results,
    identity,
    open_study,
    quiet,
    seeded_sampler,
    storage_of,
    without_result,
)

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

__all__ = ["OptunaSearchCV"]


class OptunaSearchCV(BaseSearchCV):
    """Hyperparameter search with cross-validation that uses Optuna to choose the candidates.

    It is used like scikit-learn's ``RandomizedSearchCV``. A sampler of Optuna (Akiba et al., 2019) chooses each
    candidate based on the scores of the previous ones, and a pruner may stop a candidate while it trains. With
    `storage`, finished candidates are never lost: ``fit`` resumes a search whose process was killed.

    Parameters
    ----------
    estimator : estimator
        The estimator to tune: any estimator with scikit-learn's API, such as a model or a Pipeline. It needs a
        ``score`` method unless `scoring` is given.
    param_distributions : dict or None, default=None
        The search space: for each parameter a distribution of :mod:`optuna.distributions`, a list of values, or
        SciPy's ``uniform``, ``loguniform`` or ``randint``. If None, the space that the estimator declares is used, see
        :func:`~skrec.model_selection.search_space`.
    n_trials : int or None, default=10
        Number of candidates. Candidates that the study already holds count, whatever their outcome: a search that was
        killed after 25 of 40 candidates has 15 left. If None, only `timeout` limits the search, or the sampler if it
        is finite (``GridSampler``).
    timeout : float or None, default=None
        Number of seconds after which no new candidate is started. A running candidate is not interrupted.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`. For ranking, pass a scorer made by
        :func:`skrec.metrics.make_ranking_scorer`. Scores are maximised.
    n_jobs : int or None, default=None
        Number of folds of a candidate to fit in parallel. With more than one, folds cannot be skipped, and epochs can
        be pruned only with joblib's threading backend. To evaluate several candidates in parallel, start several
        processes with the same `storage` and `study_name`, each with a different `random_state`.
    refit : bool, str or callable, default=True
        As in :class:`sklearn.model_selection.GridSearchCV`. With several metrics it must be the name of the metric to
        maximise.
    cv : int, splitter, iterable or None, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`. The folds are drawn once and are the same for all
        candidates. To resume a study, also set the ``random_state`` of a splitter that shuffles.
    verbose : int, default=0
        If 0, nothing is printed. If 1, Optuna logs each candidate. If above 1, each fit is also printed, as in
        scikit-learn.
    error_score : "raise" or numeric, default=np.nan
        Score of a fold whose fit fails. The search continues, with a ``FitFailedWarning``, even if all folds of a
        candidate fail. If ``"raise"``, the error is raised and the search ends.
    return_train_score : bool, default=False
        Whether to score the training rows as well.
    random_state : int, RandomState instance or None, default=None
        Seed of the default sampler. Pass an int to choose the same candidates in every run, even if a run was killed
        and resumed. A sampler passed as `sampler` needs a seed of its own.
    sampler : optuna.samplers.BaseSampler or None, default=None
        The sampler that chooses the candidates. If None, a ``TPESampler`` seeded by `random_state`. Any other sampler
        is used as passed.
    pruner : optuna.pruners.BasePruner or None, default=None
        The pruner that decides which candidates to stop early, for instance ``optuna.pruners.MedianPruner()``. If
        None, no candidate is pruned.
    storage : str, optuna.storages.BaseStorage or None, default=None
        Storage of the study: a database URL such as ``"sqlite:///search.db"``, or any storage of Optuna. If None, the
        study is kept in memory.
    study_name : str or None, default=None
        Name of the study in `storage`. The study is created if it does not exist, and resumed if it does.
    show_progress_bar : bool, default=False
        Whether to show Optuna's progress bar.

    Attributes
    ----------
    cv_results_ : dict of numpy (masked) ndarrays
        As in :class:`sklearn.model_selection.GridSearchCV`, with one row for each finished candidate of the study,
        including those of earlier runs, and with the additional columns ``trial_number`` and ``trial_state``
        (``"COMPLETE"``, ``"PRUNED"`` or ``"FAIL"``). Scores and times of folds that were not fitted to the end are
        NaN, and such candidates rank last.
    study_ : optuna.study.Study
        The study, for Optuna's plots and importances. The user attributes of its trials hold the results of the folds
        and the errors.
    best_estimator_ : estimator
        The estimator fitted to all rows with the best parameters. Not available if ``refit=False``.
    best_params_ : dict
        The best parameters.
    best_score_ : float
        Mean test score of the best candidate. Not available if `refit` is a callable.
    best_index_ : int
        Row of the best candidate in ``cv_results_``.
    scorer_ : callable or dict
        The scorer, or the scorers by name.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds used to fit ``best_estimator_``.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        The class labels, if the estimator is a classifier.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``, if all are strings.

    See Also
    --------
    search_space : The default of `param_distributions`.
    skrec.recommend : Recommends with a fitted search.
    sklearn.model_selection.RandomizedSearchCV : Random search.

    Notes
    -----
    **Pruning.** All scores reported to the pruner are of the same kind, so that they can be compared. If the estimator
    is a network of skrec, or contains one (if it contains several, the last one is used), and uses early stopping
    (``early_stopping=True``, or ``X_val``), the pruner receives the network's own validation score after each epoch of
    the first fold; step 0 is the first epoch. Candidates that pass the first fold are fitted on all other folds. For
    every other estimator, the pruner receives the mean test score of the folds so far, after each fold; step 0 is the
    first fold. A warning is given if the pruner had nothing to prune, as with one fold and no early stopping. A
    candidate that is not pruned gets exactly the same result, bit for bit, as without a pruner.

    **Failed and pruned candidates.** The mean score of a candidate that was pruned, or that has a failed fold, is NaN
    (unless `error_score` is a number). Such a candidate ranks last and is reported to the sampler as pruned or failed.
    ``fit`` raises an error, which quotes the first failure, only if there is no other candidate at all.

    **Resuming.** A study holds the finished candidates. A candidate that was running when its process was killed is
    lost: it does not count, and stays in the study as running (unless the storage has a heartbeat, by which Optuna
    learns that it failed). A study must belong to the same search: ``fit`` checks the classes of the estimator and its
    parts, the scoring, the names and choices of the parameters, the number of folds and a sample of the rows. It is up
    to you to keep everything else the same. In nested cross-validation, each outer fold needs its own study, as created
    with ``storage=None``.

    This class has its own ``fit`` because ``fit`` of scikit-learn's ``BaseSearchCV`` stops if all folds of a candidate
    fail, cannot stop between folds, and only has the results of the current call. Callbacks of scikit-learn 1.9
    (``set_callbacks``) are called only in the fits of the estimator.

    References
    ----------
    T. Akiba, S. Sano, T. Yanase, T. Ohta, M. Koyama. "Optuna: A Next-generation Hyperparameter Optimization Framework".
    KDD 2019, doi:10.1145/3292500.3330701.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skrec.model_selection import OptunaSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": FloatDistribution(1e-3, 1e3, log=True), "class_weight": [None, "balanced"]}
    >>> search = OptunaSearchCV(LogisticRegression(max_iter=1000), space, n_trials=5, random_state=0).fit(X, y)
    >>> sorted(search.best_params_)
    ['C', 'class_weight']
    >>> search.cv_results_["trial_state"].tolist()
    ['COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{name: each for name, each in BaseSearchCV._parameter_constraints.items() if name != "pre_dispatch"},
        "scoring": [str, callable, list, tuple, dict, None],
        "param_distributions": [dict, None],
        "n_trials": [Interval(Integral, 1, None, closed="left"), None],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "random_state": ["random_state"],
        "sampler": [HasMethods(["sample_relative", "sample_independent"]), None],
        "pruner": [HasMethods(["prune"]), None],
        "storage": [str, HasMethods(["create_new_study"]), None],
        "study_name": [str, None],
        "show_progress_bar": ["boolean"],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: dict[str, Any] | None = None,
        *,
        n_trials: int | None = 10,
        timeout: float | None = None,
        scoring: Any = None,
        n_jobs: int | None = None,
        refit: bool | str | Callable[..., int] = True,
        cv: Any = None,
        verbose: int = 0,
        error_score: Any = np.nan,
        return_train_score: bool = False,
        random_state: Any = None,
        sampler: Any = None,
        pruner: Any = None,
        storage: Any = None,
        study_name: str | None = None,
        show_progress_bar: bool = False,
    ) -> None:
        self.param_distributions = param_distributions
        self.n_trials = n_trials
        self.timeout = timeout
        self.random_state = random_state
        self.sampler = sampler
        self.pruner = pruner
        self.storage = storage
        self.study_name = study_name
        self.show_progress_bar = show_progress_bar
        super().__init__(
            estimator=estimator,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            error_score=error_score,
            return_train_score=return_train_score,
        )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> OptunaSearchCV:
        """Run the search, and fit the best candidate to all rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            The training rows.
        y : array-like of shape (n_rows,), default=None
            The targets, if the estimator needs them.
        **params : dict of str to object
            Parameters passed to ``fit`` of the estimator, the scorer and the splitter, as in
            :class:`sklearn.model_selection.GridSearchCV`: by metadata routing, if it is enabled.

        Returns
        -------
        OptunaSearchCV
            The fitted search.

        Raises
        ------
        TypeError
            If `sampler`, `pruner` or `storage` is a class instead of an object.
        ValueError
            If no candidate was fitted and scored on all folds, if the study belongs to another search, or if `scoring`
            names a scorer that scikit-learn does not know.
        """
        check_options(self)
        check_names_of_scorers(self.scoring)
        scorers, _ = self._get_scorers()
        X, y = indexable(X, y)
        check_aligned(X, {"y": y})
        routed = self._get_routed_params_for_fit(check_method_params(X, params=params))
        splitter = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(splitter.split(X, y, **routed.splitter.split))
        if not splits:
            raise ValueError(f"cv={self.cv!r} makes no folds from X.")
        estimator = clone(self.estimator)
        space = Space.of(estimator, self.param_distributions)
        candidates = Candidates(
            estimator,
            space,
            X,
            y,
            splits,
            score=partial(maximised, self),
            n_jobs=self.n_jobs,
            settings={
                "scorer": scorers,
                "fit_params": routed.estimator.fit,
                "score_params": routed.scorer.score,
                "error_score": self.error_score,
                "return_train_score": self.return_train_score,
                "return_times": True,
                "verbose": self.verbose,
            },
        )
        study = self._run(candidates)
        results, multimetric = self._results(study, space, len(splits))
        data = (X,) if y is None else (X, y)
        self._refit_best(results, self.refit if multimetric else "score", estimator, data, routed.estimator.fit)
        self.multimetric_ = multimetric
        self.scorer_ = scorers._scorers if isinstance(scorers, MultimetricScorer) else scorers
        self.n_splits_ = len(splits)
        self.study_ = study
        self.cv_results_ = results
        return self

    def _run(self, candidates: Candidates) -> Study:
        """Open the study, and evaluate the remaining candidates."""
        search = identity(
            candidates.estimator,
            candidates.space.distributions,
            self.scoring,
            refit=self.refit if isinstance(self.refit, str) else None,
            n_splits=len(candidates.splits),
            rows=checksum(candidates.X, candidates.y),
        )
        storage = storage_of(self.storage)
        seed = None
        if self.sampler is None and self.random_state is not None:
            seed = int(check_random_state(self.random_state).randint(2**31 - 1))

        def before_next(study: Study, trial: FrozenTrial | None = None) -> None:
            n_finished = len(finished_trials(study))
            if seed is not None:
                study.sampler = seeded_sampler(seed, n_finished)
            if trial is not None and self.n_trials is not None and n_finished >= self.n_trials:
                study.stop()  # other processes may have finished candidates

        with nullcontext() if self.verbose else quiet():
            study = open_study(storage, self.study_name, sampler=self.sampler, pruner=self.pruner, search=search)
            n_left = None if self.n_trials is None else self.n_trials - len(finished_trials(study))
            if n_left is None or n_left > 0:
                before_next(study)
                study.optimize(
                    candidates,
                    n_trials=n_left,
                    timeout=self.timeout,
                    callbacks=[before_next],
                    show_progress_bar=self.show_progress_bar,
                )
        warn_of_idle_pruner(study)
        return study

    def _results(self, study: Study, space: Space, n_splits: int) -> tuple[dict[str, Any], bool]:
        """Build ``cv_results_`` from the study; also return whether there are several metrics."""
        trials = finished_trials(study)
        if not any(trial.state.name == "COMPLETE" for trial in trials):
            raise ValueError(without_result(trials, self.study_name, self.error_score))
        folds = fold_results(trials, n_splits, self.error_score, with_train=self.return_train_score)
        with warnings.catch_warnings():
            # scikit-learn warns about NaN scores; here they come from pruning, or a warning was given on failure
            warnings.filterwarnings("ignore", "One or more of the (test|train) scores are non-finite", UserWarning)
            results: dict[str, Any] = self._format_results(
                [space.parameters(trial.params) for trial in trials],
                n_splits,
                folds,
                {
                    "trial_number": [trial.number for trial in trials],
                    "trial_state": [trial.state.name for trial in trials],
                },
            )
        return results, isinstance(folds[0]["test_scores"], dict)

    def _refit_best(
        self, results: dict[str, Any], metric: Any, estimator: Any, data: tuple[Any, ...], fit_params: dict[str, Any]
    ) -> None:
        """Choose the best candidate, fit it to all rows, and store it."""
        best = self._select_best_index(self.refit, metric, results)
        parameters = results["params"][best]
        if self.refit:
            refitted = clone(estimator).set_params(**clone(parameters, safe=False))
            start = time.perf_counter()
            refitted.fit(*data, **fit_params)
            self.refit_time_ = time.perf_counter() - start
            self.best_estimator_ = refitted
            if hasattr(refitted, "feature_names_in_"):
                self.feature_names_in_ = refitted.feature_names_in_
        self.best_index_, self.best_params_ = best, parameters
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{metric}"][best]
