"""A traced network and its optimizer, which fits borrow and which owns no fitted state.

Tracing a training step takes most of a second and some memory that TensorFlow never frees. Therefore, one program
serves all fits of the same structure, regardless of rows, ids, rates, penalties and seed, which are variables.
"""

from __future__ import annotations

import threading
import weakref
import zlib
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from skrec._engine import layers
from skrec._engine.backend import keras, resized, tf
from skrec._engine.batch_losses import BatchLosses
from skrec._engine.batches import TrainingData
from skrec._engine.building import (
    apart_from_global_state,
    initial_by_keras,
    initial_dense,
    name_layers,
    weights_by_name,
)
from skrec._engine.context import TrainingContext, building, tracing
from skrec._engine.layers import Table
from skrec._engine.optimizers import OPTIMIZERS
from skrec._engine.propagation import Propagation
from skrec._engine.schedules import step_rates
from skrec._engine.seen import ForCallbacks, InFit
from skrec._engine.structure import Structure
from skrec._engine.weights import Weights

__all__ = ["Program"]

STEPS_PER_EXECUTION = 32
_CHANGED = (
    "The structure of the network has changed since the last fit ({} does not match). warm_start and partial_fit need "
    "the same architecture and dimensions. Fit again with warm_start=False."
)


class Program(BatchLosses, Propagation, ForCallbacks, keras.Model):
    """A network, its optimizer, its training step and its scoring functions, each traced once."""

    def __init__(self, structure: Structure) -> None:
        super().__init__(name="program", dtype="float32")
        self.structure = structure
        self.held: weakref.ref[Weights] | None = None
        self.in_fit = InFit()
        self.between_epochs = False  # when a callback may raise without invalidating the program
        self.functions: dict[tuple[Any, ...], Any] = {}
        self.tracing = threading.Lock()
        self.catalogue_items: tuple[weakref.ref[Weights], Any] | None = None  # item part of the network, for all items
        apart_from_global_state(self._build)

    def _build(self) -> None:
        structure = self.structure
        self.network = structure.build(keras, layers, **dict(structure.network))
        self.parts = list(self.network.parts.values())
        name_layers(self.network.parts)
        self._build_layers()
        self.built = True
        weights = weights_by_name(self.network.parts)
        self.named = {name: weight for name, weight in weights.items() if weight.trainable}
        self.constants = {name: weight for name, weight in weights.items() if not weight.trainable}
        self.data = TrainingData(
            structure.columns,
            structure.catalogue,
            structure.batch_size,
            popularity=structure.popularity,
            in_batch=structure.in_batch,
            length=structure.length,
            n_targets=len(structure.losses),
            further=structure.further,
        )
        names = ["l1", "l2", "dropout", "id_dropout", "group_l1", "group_learning_rate"]
        names += ["beta", "regularisation", "added", "added_steps", "user_rate"]
        self.rates = {name: tf.Variable(0.0, trainable=False) for name in names}
        self.loss_weights = tf.Variable([1.0] * len(structure.losses), trainable=False)
        self.step_rates = tf.Variable(tf.zeros([0]), shape=[None], trainable=False)  # rates of an epoch with a schedule
        self.phase = tf.Variable(0, trainable=False, dtype=tf.int32)
        self.seed = tf.Variable(0, trainable=False, dtype=tf.int32)
        self.earlier_steps = tf.Variable(0, trainable=False, dtype=tf.int32)  # not counted by the optimizer
        self.n_negatives = tf.Variable(0, trainable=False, dtype=tf.int32)
        self.mean_loss = keras.metrics.Mean(name="loss")
        self.compile(
            optimizer=OPTIMIZERS[structure.optimizer](),
            steps_per_execution=STEPS_PER_EXECUTION,
            jit_compile=False,
        )
        self.optimizers = self._build_optimizers()

    def _build_layers(self) -> None:
        """Build the layers by calling the network on one padded row, which is faster than tracing."""
        inputs = {column.name: column.padding() for column in (*self.structure.columns, *self.structure.catalogue)}
        if self.structure.length:
            inputs["item"] = tf.zeros([1], tf.int32)  # as in scoring: one item per row, not per position
        if self.structure.target_set:
            inputs = {"user": tf.zeros([1], tf.int32), "item": tf.zeros([1], tf.int32), **inputs}
        try:
            with building():
                self.pairs(self.network.query(inputs), inputs)
        except Exception as error:
            shapes = ", ".join(f"{name} {tuple(value.shape)}" for name, value in inputs.items())
            error.add_note(f"The network could not be built: it was called on one row of its inputs, {shapes}.")
            raise

    def _build_optimizers(self) -> list[tuple[Any, list[Any]]]:
        """Build the optimizers, each with the weights that it trains; Keras knows only the first."""
        name, parts = self.structure.parameter_groups or ("", ())
        apart = [weight for key, weight in self.named.items() if key.partition("/")[0] in parts]
        groups = [(self.optimizer, [w for w in self.named.values() if not any(w is other for other in apart)])]
        if apart:
            groups.append((OPTIMIZERS[name](self.rates), apart))
        for optimizer, weights in groups:
            if weights:
                optimizer.build(weights)
        users = self.network.parts.get("user")
        in_sets = self.structure.target_set is not None and self.network.propagate is None
        signed = self.structure.optimizer != "sgd"  # whose steps are sums, not signs
        if in_sets and signed and isinstance(users, Table):
            self.optimizer.factors = [(users.embeddings.value, self.rates["user_rate"])]
        return [group for group in groups if group[1]]

    @property
    def slots(self) -> list[tuple[Any, Any]]:
        """Slot variables of the optimizers, each with its weight."""
        return [pair for optimizer, _ in self.optimizers for pair in optimizer.slots]

    def items(self, codes: Any, context: TrainingContext) -> Any:
        """Compute the item part of the network for codes (M,) or (B, M): tensors of shape codes.shape + (...).

        Ids are dropped in negatives as well as in positives, but features are kept. Otherwise, the row for unknown ids
        would learn that an unknown item is always chosen, and never be trained together with item features.
        """
        inputs = self.data.items(tf.reshape(codes, [-1]))
        leaves = self.network.item({**inputs, "item": context.dropped(inputs["item"])})
        if codes.shape.rank == 1:
            return leaves
        shape = tf.unstack(tf.shape(codes))
        return tf.nest.map_structure(lambda leaf: tf.reshape(leaf, [*shape, *leaf.shape[1:]]), leaves)

    def pairs(self, query: Any, inputs: Mapping[str, Any]) -> Any:
        """Compute the logits of queries with one item each, given as inputs: (B, 1), or (B, 1, C)."""
        item = tf.nest.map_structure(lambda leaf: tf.expand_dims(leaf, 1), self.network.item(inputs))
        return self.network.interact(query, item)

    @property
    def metrics(self) -> list[Any]:
        """Metrics that Keras resets at each epoch."""
        return [self.mean_loss]

    # -- state -------------------------------------------------------------------------------------------------------

    def initial(
        self, seed: int, rows: Mapping[str, int], known: Mapping[str, np.ndarray] | None = None, *, generation: int = 0
    ) -> dict[str, np.ndarray]:
        """Draw the initial weights of a fit, each from its own random stream, independent of the size of others.

        Weights of an earlier fit in ``known`` are kept. Only the rows of new ids are drawn, near the row for unknown
        ids.
        """
        tables = {id(layer.embeddings): layer for layer in self.parts if isinstance(layer, Table)}
        arrays: dict[str, np.ndarray] = {}
        if known is not None and (changed := known.keys() ^ {*self.named, *self.constants}):
            raise ValueError(_CHANGED.format(*sorted(changed)))
        for name, variable in self.named.items():
            rng = np.random.default_rng([seed, zlib.crc32(name.encode()), generation])
            table = tables.get(id(variable))
            shape = tuple(variable.shape) if table is None else (rows[table.rows], table.dim)
            old = None if known is None else known[name]
            if old is not None and (old.shape[1:] != shape[1:] or (table is None and old.shape != shape)):
                raise ValueError(_CHANGED.format(name))
            if table is None:
                arrays[name] = self._fresh(name, variable, shape, rng) if old is None else old
                continue
            drawn = rng.standard_normal((shape[0] - (0 if old is None else len(old)), table.dim), np.float32)
            drawn *= np.float32(table.stddev)
            arrays[name] = drawn if old is None else np.concatenate([old, old[:1] + drawn]) if len(drawn) else old
        return arrays

    def _fresh(self, name: str, variable: Any, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        layer = self.network.parts[name.partition("/")[0]]
        stddev = getattr(layer, "stddev", None)
        drawn = initial_by_keras(layer, variable.name, shape, rng) if stddev is None else None
        return initial_dense(variable.name, shape, rng, stddev) if drawn is None else drawn

    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Load weights; nothing is copied if the program already holds them."""
        if self.held is not None and self.held() is weights:
            return
        self.held = self.catalogue_items = None
        for name, variable in (self.named | self.constants).items():
            variable.value.assign(weights[name])
            resized(variable)
        if isinstance(weights, Weights):
            self.held = weakref.ref(weights)

    def state(self) -> Weights:
        """Return a copy of the weights."""
        return Weights({name: variable.value.numpy() for name, variable in (self.named | self.constants).items()})

    def move_optimizer_state(self) -> dict[str, np.ndarray]:
        """Move the optimizer state out; table slots in main memory are not copied, because they may fill it."""
        state = {"iterations": self.optimizer.iterations.value.numpy()}
        for i, (slot, _) in enumerate(self.slots):
            tensor = tf.convert_to_tensor(slot.value)
            state[str(i)] = np.from_dlpack(tensor) if "CPU" in tensor.device else tensor.numpy()
            _empty(slot)
        return state

    def start_rate(self, rate: Any, iterations: int) -> None:
        """Set the learning rate of a fit, or that of its first step."""
        self.optimizer.scheduled = False
        scheduled = self.structure.scheduled
        self.optimizer.learning_rate = float(step_rates(rate, iterations, 1)[0]) if scheduled else rate
        self.optimizer.scheduled = scheduled

    def load_slots(self, slots: Mapping[str, np.ndarray] | None, iterations: int) -> None:
        """Load the optimizer state after ``iterations`` steps, or reset it; tables may have grown since."""
        if slots is not None and len(slots) != len(self.slots) + 1:
            slots = None  # the state of another optimizer
        # Without its moments, Adam must count from 0 again, because its bias correction depends on the count.
        counted = 0 if slots is None else int(slots["iterations"])
        self.optimizer.iterations.value.assign(counted)
        self.earlier_steps.assign(iterations - counted)
        for i, (slot, weight) in enumerate(self.slots):
            old = None if slots is None else slots[str(i)]
            if old is not None and old.shape == tuple(tf.shape(weight.value)):
                slot.value.assign(old)
                continue
            fresh = slot.start(weight.value)
            slot.value.assign(fresh if old is None else tf.concat([old, fresh[len(old) :]], axis=0))

    def release(self) -> None:
        """Free the memory of a fit; the weights are kept for scoring."""
        self.data.clear()
        for slot, _ in self.slots:
            _empty(slot)

    def forget(self) -> None:
        """Free the tables of a deleted estimator."""
        if self.held is not None and self.held() is None:
            self.empty()

    def empty(self) -> None:
        """Free the memory of the tables."""
        self.held = self.catalogue_items = None
        for weight in (self.named | self.constants).values():
            _empty(weight)

    # -- the training step -------------------------------------------------------------------------------------------

    def train_step(self, step: Any) -> dict[str, Any]:
        """Take one batch, sample its negatives, and update the weights: all of them, or those of the current phase."""
        phases = self.structure.phases
        if not phases:
            self._step(step, [*self.named], dropout=True)
        else:
            branches = [partial(self._step_of_phase, step, *phase) for phase in phases]
            tf.switch_case(tf.convert_to_tensor(self.phase), branches)
        return {"loss": self.mean_loss.result()}

    def _step_of_phase(self, step: Any, parts: tuple[str, ...], dropout: bool) -> Any:
        self._step(step, [name for name in self.named if name.partition("/")[0] in parts], dropout=dropout)
        return tf.constant(0)  # a branch returns a tensor

    def _step(self, step: Any, names: list[str], *, dropout: bool) -> None:
        """Update the weights of these names by one batch."""
        s = self.structure
        context = TrainingContext(
            self.seed,
            self.earlier_steps + tf.cast(self.optimizer.iterations.value, tf.int32),
            dropout=self.rates["dropout"] if s.dropout and dropout else None,
            id_dropout=self.rates["id_dropout"] if s.id_dropout else None,
            penalised=s.penalised,
        )
        columns, target, weight = self.data.batch(step)
        total = tf.reduce_sum(weight)
        with tracing(context), tf.GradientTape() as tape:
            context.lookup_weight = weight
            summed = self._pointwise if s.negatives is None else self._ranking
            if self.network.propagate is not None:
                self._propagate(context, columns)
            data_loss = tf.math.divide_no_nan(summed(columns, target, weight, context), total)
            loss = data_loss + self._penalty(context, total) if s.penalised else data_loss
            if self.network.auxiliary is not None:
                context.lookup_weight = None
                context.add_loss(self.network.auxiliary(self.data.draw_further(context)))
            if context.added:
                loss += self._added(context, weight, total)
        if s.scheduled:
            self.optimizer.rate.value.assign(tf.gather(self.step_rates, step))
        trained = {id(self.named[name]) for name in names}
        groups = [(optimizer, [w for w in weights if id(w) in trained]) for optimizer, weights in self.optimizers]
        gradients = tape.gradient(loss, [weights for _, weights in groups])
        for (optimizer, weights), slopes in zip(groups, gradients, strict=True):
            if weights:
                optimizer.apply(slopes, weights)
        self.mean_loss.update_state(data_loss, sample_weight=total)

    def copy_parts(self) -> None:
        """Copy the weights of parts to those that are copies of them."""
        for copy, source in self._copied().items():
            self.constants[copy].value.assign(self.named[source].value)

    def _copied(self) -> dict[str, str]:
        """Return the names of the weights that are copies, and those of their sources."""
        sources = {source: copy for copy, source in self.network.copies.items()}
        parts = {name: name.partition("/") for name in self.named}
        return {f"{sources[part]}/{rest}": name for name, (part, _, rest) in parts.items() if part in sources}

    def initial_copies(
        self, start: Mapping[str, np.ndarray], known: Mapping[str, np.ndarray] | None
    ) -> dict[str, np.ndarray]:
        """Return the copies of an earlier fit, or new ones; rows of new ids are those of the source."""
        copies = {}
        for copy, source in self._copied().items():
            old = start[source][:0] if known is None else known[copy]
            copies[copy] = np.concatenate([old, start[source][len(old) :]]) if len(old) else start[source]
        return copies


def _empty(variable: Any) -> None:
    """Free the memory of a table, or of an optimizer slot for one."""
    if variable.value.shape.rank and variable.value.shape[0] is None:
        variable.value.assign(tf.zeros([0, *variable.value.shape[1:]], variable.dtype))
