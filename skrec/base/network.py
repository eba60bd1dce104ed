"""Base class of all networks, with the steps of ``fit``: roles, vocabularies, targets, training, fitted state."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from skrec._data import Interactions, Rows
from skrec._estimators import HasMethods, Interval, StrOptions
from skrec._transaction import transaction
from skrec.base.events import Events
from skrec.base.fitted_network import FittedNetwork, refuse_exported
from skrec.base.functions import FunctionsMixin
from skrec.base.learning import learn
from skrec.base.optimizer_names import optimizer_name
from skrec.base.reader import Codes
from skrec.base.small_tables import best_epoch, hold_out_in_turn, holds_out_by_default, is_small, mean_curve
from skrec.base.task_rows import latest_or_random, training_rows
from skrec.base.training_arrays import batch_size_for, shapes_of
from skrec.base.validation import validation_events

SCORED_CELLS = 2**26  # maximum number of (user, item) pairs for a validation score


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRecommender(FunctionsMixin, FittedNetwork):
    """Base class for estimators with a network.

    An architecture implements ``_build_network`` and ``_network_config``. A task (classification, regression, ranking)
    defines how targets are read, which loss is used and how validation is scored.

    Examples
    --------
    >>> from skrec.base import NetworkRecommender
    >>> from skrec.models import EASERanker, NCFClassifier
    >>> issubclass(NCFClassifier, NetworkRecommender), issubclass(EASERanker, NetworkRecommender)
    (True, False)
    """

    epochs: int = 20
    batch_size: int | Literal["auto"] = "auto"
    learning_rate: Any = 0.003
    optimizer: Any = "adam"
    l1: float = 0.0
    l2: float = 0.001
    dropout: float = 0.0
    id_dropout: float = 0.01
    early_stopping: bool | Literal["auto"] = "auto"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    tol: float = 1e-4
    ema_momentum: float = 0.0
    warm_start: bool = False
    callbacks: Any = None
    random_state: Any = None
    verbose: int = 0

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither"), HasMethods(["get_config"]), callable],
        "optimizer": [StrOptions({"adam", "adagrad", "sgd"}), str, HasMethods(["apply", "get_config"])],
        "l1": [Interval(Real, 0, None, closed="left")],
        "l2": [Interval(Real, 0, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "id_dropout": [Interval(Real, 0, 1, closed="left")],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "validation_fraction": [Interval(Real, 0, 1, closed="right")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "ema_momentum": [Interval(Real, 0, 1, closed="left")],
        "warm_start": ["boolean"],
        "callbacks": [list, tuple, HasMethods(["on_epoch_end"]), HasMethods(["on_train_end"]), callable, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    _trained: Any = field(default=None, init=False, repr=False)  # what training resumes from; _weights is its average
    _n_averaged: int = field(default=0, init=False, repr=False)
    _slots: dict[str, np.ndarray] | None = field(init=False, repr=False)
    _iterations: int = field(init=False, repr=False)
    n_iter_: int = field(init=False, repr=False)
    loss_curve_: list[float] = field(init=False, repr=False)
    validation_scores_: list[float] = field(init=False, repr=False)
    best_validation_score_: float | None = field(init=False, repr=False)

    _by_size: bool = field(default=False, init=False, repr=False)  # whether this fit may choose settings by the rows
    _n_small: int = field(default=0, init=False, repr=False)  # rows of the small table that it chooses them by, or 0

    _chooses_epochs: ClassVar[bool] = False  # by cross-validation in small tables
    _validated_roles: ClassVar[tuple[str, ...]] = ()  # roles for which validation rows should have known ids
    _epoch_score: ClassVar[str] = "val_score"  # name of the validation score in the logs of callbacks

    # -- implemented by architectures ---------------------------------------------------------------------------------

    @abstractmethod
    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        """Return the arguments of ``_build_network``, which must be hashable."""

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        """Return the search space: an Optuna distribution for each parameter to tune."""
        return {
            "learning_rate": distributions.FloatDistribution(3e-4, 3e-2, log=True),
            "l2": distributions.FloatDistribution(1e-6, 1e-1, log=True),
        }

    def _prepare(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Prepare for training, for instance by fitting the models that the weights are initialized from."""

    def _start_weights(self, fresh: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Replace freshly initialized weights, for instance by pre-trained ones."""
        return fresh

    def _remember_seen(self, rows: Rows, users: Codes, items: Codes, time: NDArray[Any] | None) -> None:
        """Store the features of users and items from rows that the model is not trained on."""

    def _table_rows(self) -> dict[str, int]:
        """Return the number of rows of each table, including the row for unknown values."""
        return {"user": len(self._users) + 1, "item": len(self._items) + 1}

    def _parameter_groups(self) -> dict[str, Any]:
        """Return the parameter group with its own optimizer: parts, optimizer, learning_rate and l1."""
        return {}

    def _constants(self) -> dict[str, NDArray[Any]]:
        """Return the weights that are not trained."""
        return {}

    # -- implemented by tasks -----------------------------------------------------------------------------------------

    @abstractmethod
    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        """Return the parts of the structure and settings that depend on the loss, and the training arrays."""

    def _note_size(self, n_rows: int) -> None:
        self._n_small = n_rows if self._by_size and is_small(n_rows) else 0

    def _least_epochs(self, n_steps: int) -> int:  # noqa: ARG002
        """Return the epochs, of so many steps each, before which training does not stop early."""
        return 0

    def _trains_again(self, n_rows: int) -> bool:  # noqa: ARG002
        """Return whether to train on all rows when rows that were held out have shown the number of epochs."""
        return False

    def _fraction_dropped(self) -> float:
        """Return the fraction of the ids to drop."""
        return float(self.id_dropout)

    def _strata(self, events: Events) -> NDArray[Any] | None:  # noqa: ARG002
        """Return the labels by which held-out rows are stratified."""
        return None

    def _hold_out(self, events: Events, random_state: Any) -> NDArray[Any] | None:
        """Return the indices of the validation rows; None if ``early_stopping="auto"`` finds too few rows."""
        if self.early_stopping == "auto" and not holds_out_by_default(len(events)):
            return None
        labels = self._strata(events)
        return latest_or_random(len(events), self.validation_fraction, random_state, labels=labels, time=events.time)

    def _validation_score(self, logits: Any, events: Events) -> float:
        """Return the score of the logits of validation rows; higher is better."""
        raise NotImplementedError

    # -- fitting ------------------------------------------------------------------------------------------------------

    def _fit(self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any) -> Any:
        with transaction(self) as model:
            resume = model.warm_start and model.__sklearn_is_fitted__()
            model._fit_events(X, y, sample_weight, (X_val, y_val), resume=resume, part=False)
        return self

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, seen: Any, **announced: Any) -> Any:
        """Train on a part of the data; ``announced`` facts about all parts are set as attributes during the call."""
        with transaction(self) as model:
            model.__dict__.update(announced)
            resume = model.__sklearn_is_fitted__()
            model._fit_events(X, y, sample_weight, (None, None), resume=resume, part=True, seen=seen)
            for name in announced:
                delattr(model, name)
        return self

    def _fit_events(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any],
        *,
        resume: bool,
        part: bool,
        seen: Any = False,
    ) -> None:
        from sklearn.utils import check_random_state

        refuse_exported(self)
        from skrec._engine.training import checked_callbacks

        if not resume:
            self._prepare(X, y, sample_weight)
        random_state = check_random_state(self.random_state)
        old = vars(self).copy() if resume else None
        alone = not (part or self.warm_start) and validation[0] is None and validation[1] is None
        self._by_size, self._n_small = self._chooses_epochs and self.early_stopping == "auto" and alone, 0
        events = learn(self, X, y, sample_weight, fresh=not resume, more=resume and part, seen=seen)
        seed = int(random_state.randint(2**20))
        callbacks = checked_callbacks(self.callbacks)
        if self._n_small and self.epochs > 1:
            result = self._train_as_long_as_folds(events, random_state, seed, callbacks)
        else:
            inside, held_out = self._split(events, validation, random_state, part=part)
            options: dict[str, Any] = {"old": old, "keep": part or self.warm_start, "callbacks": callbacks}
            result = self._train(events, inside, held_out, seed, epochs=1 if part else self.epochs, **options)
            if not inside.all() and alone and self._trains_again(len(events)):
                again = self._train(events, np.ones_like(inside), None, seed, epochs=best_epoch([result.scores]))
                result = replace(again, scores=result.scores, best_score=result.best_score)
        del self._by_size, self._n_small
        self._store(result, old)

    def _train_as_long_as_folds(self, events: Events, random_state: Any, seed: int, callbacks: tuple[Any, ...]) -> Any:
        """Choose the number of epochs by cross-validation, and train on all rows for as long."""
        scores, strata = [], self._strata(events)
        rows = np.arange(len(events)) if events.weight is None else np.flatnonzero(events.weight)
        labels, time = (None if of_rows is None else of_rows[rows] for of_rows in (strata, events.time))
        for fold in hold_out_in_turn(len(rows), random_state, labels=labels, time=time):
            inside, held_out = np.ones(len(events), bool), rows[fold]
            inside[held_out] = False
            trial = self._train(events, inside, events.take(held_out), seed, epochs=self.epochs, is_trial=True)
            scores.append(trial.scores)
        inside, curve = np.ones(len(events), bool), mean_curve(scores)
        result = self._train(events, inside, None, seed, epochs=best_epoch(scores), callbacks=callbacks)
        return replace(result, scores=curve, best_score=max(curve))

    def _train(
        self,
        events: Events,
        inside: NDArray[np.bool_],
        held_out: Events | None,
        seed: int,
        *,
        epochs: int,
        old: Mapping[str, Any] | None = None,
        keep: bool = False,
        callbacks: tuple[Any, ...] = (),
        is_trial: bool = False,
    ) -> Any:
        """Train on the rows of a mask, and score the held-out rows after each epoch; a trial is silent."""
        from skrec._engine.training import train

        if not inside.all():  # never in partial_fit: until training has ended, the log contains only the training rows
            self._log_events(events, inside, None)
        training = self._with_history(events.take(np.flatnonzero(inside)) if not inside.all() else events)
        plan = self._training(training, self._log)
        # A trial takes the batch size of all rows: the same program, and as long an epoch for every row.
        n_rows, is_more = len(events) if is_trial else plan["arrays"].n_rows, old is not None
        structure = self._make_structure(
            plan["arrays"], events.n_outputs, plan["structure"], resume=is_more, n_rows=n_rows
        )
        settings = self._settings(seed, plan["settings"], epochs=epochs, stopping=held_out is not None)
        n_steps = -(-plan["arrays"].n_rows // structure.batch_size)
        least = 0 if inside.all() else self._least_epochs(n_steps)
        settings = replace(settings, id_dropout=self._fraction_dropped(), least_epochs=least)
        result = train(
            structure,
            plan["arrays"],
            replace(settings, verbose=0) if is_trial else settings,
            **({} if old is None else self._resume_from(old)),
            adjust=self._start_weights if old is None else None,
            constants=self._constants(),
            keep_slots=keep,
            score=None if held_out is None else self._scorer(self._with_history(held_out)),
            callbacks=callbacks,
        )
        if not inside.all():
            self._log_events(events, np.ones_like(inside), None)
        return result

    def _with_history(self, events: Events) -> Events:
        return replace(
            events, inputs={**events.inputs, **self._history_inputs(events.users, events.items, events.time)}
        )

    def _split(
        self, events: Events, validation: tuple[Any, Any], random_state: Any, *, part: bool
    ) -> tuple[NDArray[np.bool_], Events | None]:
        """Return a mask of the training rows, and the validation events for early stopping."""
        inside = np.ones(len(events), bool)
        X_val, y_val = validation
        if X_val is not None:
            return inside, validation_events(self, X_val, y_val, len(events))
        if y_val is not None:
            raise ValueError("y_val was passed without X_val. Pass both or neither.")
        held_out = self._hold_out(events, random_state) if self.early_stopping and not part else None
        if held_out is None:
            return inside, None
        inside = training_rows(held_out, len(events), self.validation_fraction, instead="X_val and y_val")
        return inside, events.take(held_out)

    def _scorer(self, events: Events) -> Any:
        """Return a function that computes the validation score of the program in training."""
        from skrec._engine.scoring import pairs_on

        def score(program: Any) -> float:
            return self._validation_score(pairs_on(program, events.inputs), events)

        return score

    def _auto_batch_size(self, n_rows: int, length: int) -> int:  # noqa: ARG002
        """Return a batch size for about 64 steps per epoch, see :func:`batch_size_for`."""
        return batch_size_for(n_rows)

    @property
    def _l2_penalty(self) -> float:
        """The L2 penalty, ``l2``."""
        return float(self.l2)

    def _make_structure(
        self, arrays: Any, n_outputs: int, task: Mapping[str, Any], *, resume: bool, n_rows: int
    ) -> Any:
        config = self._network_config(n_outputs)
        if resume:  # a network of an older version lacks newer options, whose defaults leave it as it was
            config = {name: value for name, value in config.items() if name in dict(self._structure["network"])}
        self._structure = {
            "network": tuple(sorted(config.items())),
            "columns": shapes_of(arrays.columns),
            "catalogue": shapes_of(arrays.catalogue or {}),
            "further": shapes_of(arrays.further or {}),
            "optimizer": optimizer_name(self.optimizer),
            "scheduled": not isinstance(self.learning_rate, Real),
            "parameter_groups": (group["optimizer"], tuple(sorted(group["parts"])))
            if (group := self._parameter_groups())
            else None,
            "batch_size": self._auto_batch_size(n_rows, task.get("length", 0))
            if self.batch_size == "auto"
            else int(self.batch_size),
            "penalised": bool(self.l1 or self._l2_penalty),
            "dropout": self.dropout > 0,
            "id_dropout": self.id_dropout > 0,
            **task,
        }
        return self._fitted_structure()

    def _settings(self, seed: int, task: Mapping[str, Any], *, epochs: int, stopping: bool) -> Any:
        from skrec._engine.schedules import checked_rate
        from skrec._engine.training import FitSettings

        return FitSettings(
            rows=self._table_rows(),
            epochs=int(epochs),
            learning_rate=checked_rate(self.learning_rate),
            l1=float(self.l1),
            l2=self._l2_penalty,
            dropout=float(self.dropout),
            group_learning_rate=self._parameter_groups().get("learning_rate", 0.0),
            group_l1=self._parameter_groups().get("l1", 0.0),
            seed=seed,
            verbose=int(self.verbose),
            patience=int(self.n_iter_no_change) if stopping else None,
            tolerance=float(self.tol),
            score_name=self._epoch_score,
            ema_momentum=float(self.ema_momentum),
            **task,
        )

    @staticmethod
    def _resume_from(old: Mapping[str, Any]) -> dict[str, Any]:
        """Return the state from which training resumes."""
        averaged = old.get("_trained") is not None
        return {
            "known": old["_trained"] if averaged else old["_weights"],
            "average": old["_weights"] if averaged else None,
            "n_averaged": old["_n_averaged"] if averaged else 0,
            "slots": old["_slots"],
            "iterations": old["_iterations"],
        }

    def _store(self, result: Any, old: Mapping[str, Any] | None) -> None:
        self._weights = result.weights
        self._trained = result.trained
        self._n_averaged = result.n_averaged
        self._slots = result.slots
        self._iterations = result.iterations
        self.n_iter_ = result.n_epochs
        self.loss_curve_ = ([] if old is None else old["loss_curve_"]) + result.loss_curve
        self.validation_scores_ = result.scores
        self.best_validation_score_ = result.best_score


def own_loss(function: Any, **options: Any) -> Any:
    """Check a custom loss function with :func:`~skrec._engine.own_loss.checked_loss`, and return it."""
    from skrec._engine.own_loss import checked_loss

    return checked_loss(function, **options)
