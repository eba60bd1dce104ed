"""The training loop: Keras ``fit`` on a borrowed program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skrec._engine.backend import keras, tf, traces_expected
from skrec._engine.batches import TrainingArrays
from skrec._engine.callbacks import checked_callbacks, let_go
from skrec._engine.program import Program
from skrec._engine.program_cache import borrowed
from skrec._engine.schedules import step_rates
from skrec._engine.seen import InFit
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["FitResult", "FitSettings", "checked_callbacks", "train"]


@dataclass(frozen=True)
class FitSettings:
    """Settings of one fit that are independent of the traced program.

    Parameters
    ----------
    rows : dict of str to int
        Number of rows of each table, including the row for unknown ids.
    epochs : int
        Number of passes over the rows.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
        Learning rate, or a schedule for each step.
    l1, l2, dropout, id_dropout : float
        Penalties and dropout rates.
    group_learning_rate, group_l1 : float
        Learning rate and L1 penalty of the parameter group with its own optimizer.
    n_negatives : int
        Number of negatives per row, or per batch if shared.
    loss_weights : tuple of float
        Weight of each target in the mean loss.
    popularity : float
        Exponent of the item counts in the sampling distribution of negatives.
    seed : int
        Seed of all random numbers of the fit, from 0 to 2**20.
    verbose : int
        Verbosity, as in Keras: 0 is silent, 1 shows a progress bar, 2 prints one line per epoch.
    patience : int or None
        Number of epochs without improvement of the validation score after which training stops. If None, train for all
        epochs.
    least_epochs : int
        Number of epochs before which training does not stop early.
    tolerance : float
        Minimum increase of the score that counts as an improvement.
    score_name : str
        Name of the validation score in the logs.
    beta, regularisation : float
        Parameters of the losses that have them.
    added, added_steps : float
        Weight of the losses that layers add, such as a Kullback-Leibler divergence, and the number of steps in which it
        grows from 0 to this value (annealing).
    user_rate : float
        Factor of the learning rate of user embeddings, if the targets of a row are sets of items: the mean size of a
        set, because the embedding then takes one step where it would take one for each event. Steps of SGD are the sums
        of those, and need no factor.
    phase_epochs : tuple of int
        Number of epochs of each phase of training, in turn.
    ema_momentum : float
        Momentum of the moving average of the weights after each epoch, which the fit returns. If 0, there is none.
        Training itself uses the raw, un-averaged weights.
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
    least_epochs: int = 0
    tolerance: float = 0.0
    score_name: str = "val_score"
    beta: float = 1.0
    regularisation: float = 0.0
    added: float = 1.0
    added_steps: float = 0.0
    user_rate: float = 1.0
    phase_epochs: tuple[int, ...] = ()
    ema_momentum: float = 0.0


@dataclass(frozen=True)
class FitResult:
    """Result of a fit.

    If ``weights`` are a moving average that a later fit may continue, ``trained`` are the un-averaged weights and
    ``n_averaged`` is the number of averaged epochs.
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
    """First callback: shuffle before every epoch, and stop with an error after a loss that is not finite."""

    def __init__(self, settings: FitSettings, iterations: int, n_steps: int) -> None:
        super().__init__()
        self._settings, self._iterations, self._n_steps = settings, iterations, n_steps

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        program, n_steps = self.model, self._n_steps
        program.between_epochs = False
        program.in_fit.weights_were_set = False
        # The same as if all epochs were trained in one fit.
        number = self._iterations // n_steps + epoch
        program.data.shuffle(self._settings.seed, number)
        if ends := np.cumsum(self._settings.phase_epochs).tolist():
            place = number % ends[-1]
            phase = int(np.searchsorted(ends, place, side="right"))
            program.phase.assign(phase)
            if place in ends[:-1]:
                program.copy_parts()
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
    """Limit the step count to the steps of an epoch: Keras counts all steps that the last program call could take."""

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        super().on_train_batch_end(min(batch, self.target - 1), logs)


class _Average(keras.callbacks.Callback):
    """Update the moving average of the weights after each epoch, with a correction for the first epochs.

    Rows of new ids, which the average does not have yet, are copied.
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
    """Compute the score after every epoch, keep the best weights, and stop if the score does not improve."""

    def __init__(self, score: Callable[[Program], float], settings: FitSettings, average: _Average | None) -> None:
        super().__init__()
        self._score, self._settings, self._average = score, settings, average
        self.scores: list[float] = []
        self.best: tuple[float, int, Weights] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        average = None if self._average is None else self._average.weights
        if average is None and self.model.network.propagate is None:
            value = float(self._score(self.model))
        else:
            value = self._score_of(self.model.state() if average is None else average)
        self.scores.append(value)
        logs[self._settings.score_name] = value
        if self.best is None or value > self.best[0] + self._settings.tolerance:
            self.best = (value, epoch, self.model.state() if average is None else average)
        elif self._settings.patience is not None and epoch - self.best[1] >= self._settings.patience:
            self.model.stop_training = epoch + 1 >= self._settings.least_epochs

    def _score_of(self, weights: Weights) -> float:
        trained = self.model.state()
        self.model.load(self.model.scored(weights))
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
        Structure of the network.
    arrays : TrainingArrays
        Training data.
    settings : FitSettings
        Settings of the fit.
    known : mapping, optional
        Weights of an earlier fit to resume from. Its tables may have fewer rows.
    average, n_averaged : Weights and int, optional
        Moving average to continue, and its number of epochs.
    adjust : callable, optional
        Function that maps freshly initialized weights to the initial weights, for instance pre-trained ones.
    constants : mapping, optional
        Weights that are not trained, such as the edges of bins.
    slots : mapping, optional
        Optimizer state of an earlier fit.
    iterations : int
        Number of steps of the earlier fits that this one resumes.
    keep_slots : bool
        Whether to return the state that a later fit needs to resume: the optimizer state and the un-averaged weights.
    score : callable, optional
        Validation score of the program; higher is better. If given, the weights of the best epoch are returned.
    callbacks : sequence of keras.callbacks.Callback
        Callbacks of the caller, already checked.

    Raises
    ------
    Exception
        If a callback function raises it. The program is still kept for the next fit.
    """
    with borrowed(structure) as program:
        program.held, program.in_fit = None, InFit()
        known = None if known is None else program.trainable(known)
        average = None if average is None else program.trainable(average)
        start: Mapping[str, np.ndarray] = program.initial(settings.seed, settings.rows, known, generation=iterations)
        start = adjust(start) if adjust else start
        program.load({**start, **program.initial_copies(start, known), **(constants or {})})
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
        trained = None
        best_score = None if validation is None or validation.best is None else validation.best[0]
        if program.in_fit.weights_were_set:  # by a callback, after the last epoch
            weights = program.state()
            program.load(program.scored(weights))
            best_score = None if score is None else float(score(program))
        elif validation is not None and validation.best is not None:
            weights = validation.best[2]
        elif moving is not None and moving.weights is not None:
            weights, trained = moving.weights, moving.trained if keep_slots else None
        else:
            weights = program.state()
        weights = program.scored(weights)
        program.release()
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
    # The autotuner thread delays the destruction of an iterator by seconds, and there is nothing to tune here.
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
