"""Training of AutoencoderFeatures: inputs, validation rows, structure of the network, settings of the fit."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skrec._data import OneHot
from skrec._data.features.one_hot import OneHotRows
from skrec.base.field_inputs import whole_numbers
from skrec.base.fitted_network import structure_of
from skrec.base.optimizer_names import optimizer_name
from skrec.base.small_tables import holds_out_by_default
from skrec.base.task_rows import latest_or_random, training_rows
from skrec.base.training_arrays import batch_size_for, shapes_of
from skrec.preprocessing._autoencoder_network import build_network

__all__ = ["inputs_of", "train_autoencoder"]

_LOGITS = 2**24  # maximum number of logits of a training step with batch_size="auto"
_LEAST_ROWS = 8


def inputs_of(one_hot: OneHot, rows: OneHotRows) -> dict[str, Any]:
    """Return the inputs of the network; without one-hot columns, they are the numbers alone."""
    inputs: dict[str, Any] = {"numbers": rows.numbers}
    if len(one_hot.groups):
        inputs["columns"] = rows.columns
        if rows.values is not None:
            inputs["values"] = rows.values
    return inputs


def train_autoencoder(coder: Any, one_hot: OneHot, rows: OneHotRows) -> tuple[dict[str, Any], Any]:
    """Train an autoencoder on encoded rows.

    Parameters
    ----------
    coder : AutoencoderFeatures
        The parameters.
    one_hot : OneHot
    rows : OneHotRows

    Returns
    -------
    structure : dict
        What :func:`skrec.base.fitted_network.structure_of` needs.
    result : skrec._engine.training.FitResult
    """
    from skrec._engine.batches import TrainingArrays
    from skrec._engine.schedules import checked_rate
    from skrec._engine.training import FitSettings, checked_callbacks, train

    inputs = inputs_of(one_hot, rows)
    if "columns" not in inputs and not rows.numbers.shape[1]:
        raise ValueError(
            "X has nothing to encode: all entries are 0, all lists empty, or all values are rarer than min_frequency."
        )
    random_state = check_random_state(coder.random_state)
    seed = int(random_state.randint(2**20))
    training, held_out = _split(coder, len(rows.numbers), random_state)
    structure = _structure(coder, one_hot, inputs, len(training))
    columns = {name: array.take(training) for name, array in inputs.items() if name != "numbers"}
    columns["numbers"] = rows.numbers[training]
    groups = np.append(-1, one_hot.groups).astype(np.float32)[:, None]
    result = train(
        structure_of(build_network, structure),
        TrainingArrays(columns, np.zeros((len(training), 1), np.float32), None, n_items=0),
        FitSettings(
            rows={"columns": len(groups)},
            epochs=int(coder.epochs),
            learning_rate=checked_rate(coder.learning_rate),
            l2=float(coder.l2),
            dropout=float(coder.noise),
            seed=seed,
            verbose=int(coder.verbose),
            patience=int(coder.n_iter_no_change) if len(held_out) else None,
            tolerance=float(coder.tol),
        ),
        constants={"groups/embeddings": groups} if len(one_hot.groups) else {},
        score=_scorer({name: array[held_out] for name, array in inputs.items()}) if len(held_out) else None,
        callbacks=checked_callbacks(coder.callbacks),
    )
    return structure, result


def _split(coder: Any, n_rows: int, random_state: np.random.RandomState) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the training rows and the validation rows."""
    stopping = holds_out_by_default(n_rows) if coder.early_stopping == "auto" else coder.early_stopping
    if not stopping:
        return np.arange(n_rows), np.arange(0)
    held_out = latest_or_random(n_rows, coder.validation_fraction, random_state)
    inside = training_rows(held_out, n_rows, coder.validation_fraction)
    return np.flatnonzero(inside), np.sort(held_out)


def _structure(coder: Any, one_hot: OneHot, inputs: dict[str, Any], n_rows: int) -> dict[str, Any]:
    layout, n_columns = one_hot.fields.layout, len(one_hot.groups)
    network = {
        "numbers": (len(layout.numeric), len(layout.flags), sum(width for _, width in layout.arrays)),
        "absent": one_hot.absent,
        "has_columns": n_columns > 0,
        "n_groups": one_hot.n_groups,
        "bag": _bag_loss(one_hot, coder.sparse_loss) if one_hot.has_bag else None,
        "units": (*whole_numbers(coder.hidden_units), int(coder.n_components)),
        "activation": coder.activation,
        "width": 1 << (n_columns + 64).bit_length(),
    }
    most = max(_LOGITS // max(n_columns, 1), _LEAST_ROWS)
    batch_size = min(batch_size_for(n_rows), 1 << (most.bit_length() - 1))
    return {
        "network": tuple(sorted(network.items())),
        "columns": shapes_of(inputs),
        "catalogue": (),
        "losses": ("of_network",),
        "optimizer": optimizer_name(coder.optimizer),
        "scheduled": not isinstance(coder.learning_rate, Real),
        "batch_size": batch_size if coder.batch_size == "auto" else int(coder.batch_size),
        "penalised": coder.l2 > 0,
        "dropout": coder.noise > 0,
    }


def _bag_loss(one_hot: OneHot, sparse_loss: str) -> str:
    """Return the loss of the columns that belong to no categorical field."""
    if one_hot.bag_columns is None:
        return "binary"
    if sparse_loss == "auto":
        return "squared_error" if one_hot.bag_has_negative else "binary"
    if sparse_loss != "squared_error" and one_hot.bag_has_negative:
        raise ValueError(
            f"sparse_loss={sparse_loss!r} needs values of at least 0, but X has negative values. Pass 'squared_error'."
        )
    return sparse_loss


def _scorer(inputs: dict[str, Any]) -> Any:
    """Return a function that computes the validation score of the program in training."""
    from skrec._engine.scoring import pairs_on

    return lambda program: -float(pairs_on(program, inputs).mean(dtype=np.float64))
