"""Pruning of running fits: report the validation score of each epoch of a network to a trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from skrec._warnings import warn
from skrec.model_selection._search_space import parts_with

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

__all__ = ["EpochReporter", "report_epochs", "warn_of_idle_pruner"]


class EpochReporter:
    """A callback ``f(epoch, logs)`` that reports each validation score of a network and stops a fit that is pruned.

    It reports only the first fit it takes part in. In another process it reports nothing, as the trial is not there.

    Parameters
    ----------
    trial : Trial or None
        The trial to report to. If None, nothing is reported.
    score_name : str
        Name of the score in the logs.
    """

    def __init__(self, trial: Trial | None = None, score_name: str = "") -> None:
        self._trial, self._score_name = trial, score_name
        self._last = -1
        self.pruned = False

    @property
    def heard(self) -> bool:
        """Whether a score was reported."""
        return self._last >= 0

    def __call__(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Report the score of an epoch; epochs are counted from 0.

        Raises
        ------
        optuna.TrialPruned
            If the pruner decides to prune the trial.
        """
        if self._trial is None or self._score_name not in logs:
            return
        if epoch <= self._last:  # another fit begins
            self._trial = None
            return
        self._last = epoch
        self._trial.report(float(logs[self._score_name]), epoch)
        if self._trial.should_prune():
            from optuna import TrialPruned

            self.pruned = True
            raise TrialPruned

    def __deepcopy__(self, memo: dict[int, Any]) -> EpochReporter:
        return self  # clone copies callbacks, and the copy must report to the same trial

    def __reduce__(self) -> tuple[type[EpochReporter], tuple[()]]:
        return EpochReporter, ()


def report_epochs(estimator: Any, trial: Trial) -> EpochReporter:
    """Add a reporter to the callbacks of an estimator's network, if it has one, or of its last network.

    Such an estimator gives the name of the validation score in the logs as ``_epoch_score``, and calls the functions
    in ``callbacks``.
    """
    names = estimator.get_params()
    parts = [part for part in parts_with(estimator, "_epoch_score") if f"{part[0]}callbacks" in names]
    if not parts:
        return EpochReporter()
    prefix, part = parts[-1]
    reporter = EpochReporter(trial, part._epoch_score)
    estimator.set_params(**{f"{prefix}callbacks": [*(part.callbacks or ()), reporter]})
    return reporter


def warn_of_idle_pruner(study: Study) -> None:
    """Warn if there is a pruner, but every candidate reported one score only, after which pruning saves no work."""
    from optuna.pruners import NopPruner
    from optuna.trial import TrialState

    if isinstance(study.pruner, NopPruner):
        return
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
    if trials and all(each.state == TrialState.COMPLETE and len(each.intermediate_values) < 2 for each in trials):
        warn(
            f"{type(study.pruner).__name__} had nothing to prune: there is only one split, or all splits are fitted in "
            "parallel, and no network reported scores of several epochs. Set early_stopping=True in the network, or "
            "pass a cv with several splits and n_jobs=None."
        )
