"""The one training loop: Keras ``fit`` over a borrowed program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skrec._engine.backend import keras, tf, traces_expected
from skrec._engine.batches import TrainingArrays
from skrec._engine.callbacks import checked_callbacks, let_go
from skrec._engine.program import Program, Structure, borrowed
from skrec._engine.schedules import step_rates
from skrec._engine.seen import InFit
from skrec._engine.weights import Weights

__all__ = ["FitResult", "FitSettings", "checked_callbacks", "train"]


@dataclass(frozen=True)
class FitSettings:
    """Settings of one fit that are no part of the traced program.

    Parameters
    ----------
    rows : dict of str to int
        Rows of each kind of table, the row of unknown ids counted.
    epochs : int
        Passes over the rows.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
        Of a step.
    l1, l2, dropout, id_dropout : float
        Penalties and rates of dropout.
    group_learning_rate, group_l1 : float
        Of the parts of the network that have an optimiser of their own.
    n_negatives : int
        Negatives of a row, or of a batch when they are shared.
    loss_weights : tuple of float
        Weight of each target in the mean of their losses.
    popularity : float
        Exponent of the items' counts that negatives are drawn by.
    seed : int
        Of every random number of the fit, from 0 to 2**20.
    verbose : int
        Keras's: 0 is silent, 1 a progress bar, 2 a line per epoch.
    patience : int or None
        Epochs without a better validation score before training stops; None: train all epochs.
    tolerance : float
        What counts as better.
    score_name : str
        Name of the validation score in the logs.
    beta, regularisation : float
        Of the losses that have them.
    ema_momentum : float
        Weight of the past in the moving average of the weights after each epoch, which the fit leaves behind; 0: none.
        Training itself does not heed it.
    """

    rows: Mapping[str, int]
    epochs: int
    learning_rate: Any
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    id_dropout: float = 0.0
    group_learning_rate: float = 0.0
    group_l1: float = 0.0
    n_negatives: int = 0
    loss_weights: tuple[float, ...] = (1.0,)
    popularity: float = 0.0
    seed: int = 0
    verbose: int = 0
    patience: int | None = None
    tolerance: float = 0.0
    score_name: str = "val_score"
    beta: float = 1.0
    regularisation: float = 0.0
    ema_momentum: float = 0.0


@dataclass(frozen=True)
class FitResult:
    """What a fit leaves behind.

    Where ``weights`` are an average that a later fit may go on with, ``trained`` are the weights that it was made from,
    and ``n_averaged`` tells of how many epochs.
    """

    weights: Weights
    trained: Weights | None
    n_averaged: int
    slots: dict[str, np.ndarray] | None
    iterations: int
    n_epochs: int
    loss_curve: list[float]
    scores: list[float] = field(default_factory=list)
    best_score: float | None = None


class _Epochs(keras.callbacks.Callback):
    """Come first: shuffle before every epoch; keep the training steps from going on after a loss that is no number."""

    def __init__(self, settings: FitSettings, iterations: int, n_steps: int) -> None:
        super().__init__()
        self._settings, self._iterations, self._n_steps = settings, iterations, n_steps

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        program, n_steps = self.model, self._n_steps
        program.between_epochs = False
        program.in_fit.weights_were_set = False
        # As if all epochs had been trained in one fit.
        program.data.shuffle(self._settings.seed, self._iterations // n_steps + epoch)
        if program.structure.scheduled:
            first = self._iterations + epoch * n_steps
            program.step_rates.assign(step_rates(self._settings.learning_rate, first, n_steps))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.between_epochs = True
        if not np.isfinite(logs["loss"]):
            raise FloatingPointError(
                f"The loss became {logs['loss']} in epoch {epoch + 1}: training diverged. "
                "Use a smaller learning_rate, or scale the targets and sample weights."
            )


class _Progress(keras.callbacks.ProgbarLogger):
    """Count no more steps than an epoch has: Keras counts those that the last call of the program could have taken."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        super().on_train_batch_end(min(batch, self.target - 1), logs)


class _Average(keras.callbacks.Callback):
    """Keep the moving average of the weights after each epoch; young averages weigh their epochs as old ones do.

    Rows of a table that the average does not have yet, those of new ids, join as they are.
    """

    def __init__(self, momentum: float, past: Weights | None, n_epochs: int) -> None:
        super().__init__()
        self._momentum = momentum
        self.weights, self.n_epochs = past, 0 if past is None else n_epochs
        self.trained: Weights | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self.n_epochs += 1
        self.trained = now = self.model.state()
        if self.weights is not None:
            share = np.float32((1 - self._momentum) / (1 - self._momentum**self.n_epochs))
            averaged = {name: _moved(self.weights[name], now[name], share) for name in self.model.named}
            now = Weights({**now, **averaged})
        self.weights = self.model.in_fit.average = now


def _moved(past: np.ndarray, now: np.ndarray, share: np.float32) -> np.ndarray:
    moved: np.ndarray = past + share * (now[: len(past)] - past)
    return moved if len(past) == len(now) else np.concatenate([moved, now[len(past) :]])


class _Validation(keras.callbacks.Callback):
    """Score after every epoch, remember the best weights, stop when they stay the best for too long."""

    def __init__(self, score: Callable[[Program], float], settings: FitSettings, average: _Average | None) -> None:
        super().__init__()
        self._score, self._settings, self._average = score, settings, average
        self.scores: list[float] = []
        self.best: tuple[float, int, Weights] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        average = None if self._average is None else self._average.weights
        value = float(self._score(self.model)) if average is None else self._score_of(average)
        self.scores.append(value)
        logs[self._settings.score_name] = value
        if self.best is None or value > self.best[0] + self._settings.tolerance:
            self.best = (value, epoch, self.model.state() if average is None else average)
        elif self._settings.patience is not None and epoch - self.best[1] >= self._settings.patience:
            self.model.stop_training = True

    def _score_of(self, weights: Weights) -> float:
        trained = self.model.state()
        self.model.load(weights)
        value = float(self._score(self.model))
        self.model.load(trained)
        self.model.held = None  # training changes them
        return value


def train(
    structure: Structure,
    arrays: TrainingArrays,
    settings: FitSettings,
    *,
    known: Mapping[str, np.ndarray] | None = None,
    average: Weights | None = None,
    n_averaged: int = 0,
    adjust: Callable[[Mapping[str, np.ndarray]], Mapping[str, np.ndarray]] | None = None,
    constants: Mapping[str, np.ndarray] | None = None,
    slots: Mapping[str, np.ndarray] | None = None,
    iterations: int = 0,
    keep_slots: bool = False,
    score: Callable[[Program], float] | None = None,
    callbacks: Sequence[Any] = (),
) -> FitResult:
    """Train a network.

    Parameters
    ----------
    structure : Structure
        What the trace depends on.
    arrays : TrainingArrays
        The data.
    settings : FitSettings
        The rest.
    known : mapping, optional
        Weights of an earlier fit to go on from; its tables may have fewer rows.
    average, n_averaged : Weights and int, optional
        The moving average to go on with, and of how many epochs it is.
    adjust : callable, optional
        From freshly drawn weights to those the fit starts from, for instance pre-trained ones.
    constants : mapping, optional
        Weights that are not trained, such as the edges of bins.
    slots : mapping, optional
        The optimiser's state of an earlier fit.
    iterations : int
        Steps taken by earlier fits that this one goes on from.
    keep_slots : bool
        Whether to return what a later fit needs to go on: the optimiser's state, and the weights beside their average.
    score : callable, optional
        Validation score of the program, higher is better; the best epoch's weights are returned.
    callbacks : sequence of keras.callbacks.Callback
        The user's, checked.

    Raises
    ------
    Exception
        What a function among the callbacks raised. The program is kept for the next fit all the same.
    """
    with borrowed(structure) as program:
        program.held, program.in_fit = None, InFit()
        start: Mapping[str, np.ndarray] = program.initial(settings.seed, settings.rows, known, generation=iterations)
        program.load({**(adjust(start) if adjust else start), **(constants or {})})
        del start
        for name, variable in program.rates.items():
            variable.assign(getattr(settings, name))
        program.load_slots(slots, iterations)
        program.data.fill(arrays, settings.popularity)
        program.seed.assign(settings.seed)
        program.n_negatives.assign(settings.n_negatives)
        program.loss_weights.assign(settings.loss_weights)
        program.start_rate(settings.learning_rate, iterations)
        moving = _Average(settings.ema_momentum, average, n_averaged) if settings.ema_momentum else None
        validation = None if score is None else _Validation(score, settings, moving)
        steps = -(-arrays.n_rows // structure.batch_size)
        epochs = _Epochs(settings, iterations, steps)
        shown = any(isinstance(callback, keras.callbacks.ProgbarLogger) for callback in callbacks)
        progress = _Progress() if settings.verbose and not shown else None
        history = _fit(program, steps, settings, [epochs, moving, validation, *callbacks, progress])
        kept_slots = program.move_optimizer_state() if keep_slots else None
        program.release()
        trained = None
        best_score = None if validation is None or validation.best is None else validation.best[0]
        if program.in_fit.weights_were_set:  # by a callback, after the last epoch
            weights = program.state()
            best_score = None if score is None else float(score(program))
        elif validation is not None and validation.best is not None:
            weights = validation.best[2]
        elif moving is not None and moving.weights is not None:
            weights, trained = moving.weights, moving.trained if keep_slots else None
        else:
            weights = program.state()
        result = FitResult(
            weights=weights,
            trained=trained,
            n_averaged=0 if moving is None or trained is None else moving.n_epochs,
            slots=kept_slots,
            iterations=int(program.earlier_steps.numpy() + program.optimizer.iterations.numpy()),
            n_epochs=len(history["loss"]),
            loss_curve=[float(value) for value in history["loss"]],
            scores=[] if validation is None else validation.scores,
            best_score=best_score,
        )
        program.load(weights)
    return result


def _fit(program: Program, steps: int, settings: FitSettings, callbacks: list[Any]) -> dict[str, list[float]]:
    dataset = tf.data.Dataset.range(steps)
    options = tf.data.Options()
    # The autotuner's thread sleeps for seconds when an iterator is torn down; there is nothing to tune here.
    options.autotune.enabled = False
    try:
        with traces_expected():
            history = program.fit(
                dataset.with_options(options),
                epochs=settings.epochs,
                verbose=settings.verbose,
                shuffle=False,
                callbacks=[callback for callback in callbacks if callback is not None],
            )
    finally:
        for callback in callbacks:
            if callback is not None:
                let_go(callback)
    return dict(history.history)
