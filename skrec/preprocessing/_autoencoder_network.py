"""The network of AutoencoderFeatures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["build_network"]


@dataclass
class _Autoencoder:
    """The layers of an autoencoder; see :func:`build_network`."""

    keras: Any
    layers: Any
    numbers: tuple[int, int, int]
    absent: tuple[tuple[int, int], ...]
    has_columns: bool
    n_groups: int
    bag: str | None
    units: tuple[int, ...]
    activation: str
    width: int
    parts: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keras, layers, units = self.keras, self.layers, self.units
        self.activate, self.noise = keras.activations.get(self.activation), layers.Dropout()
        self.parts["first_bias"] = layers.Bias(units[0])
        if self.has_columns:
            self.parts["first_columns"] = layers.Bag("columns", units[0])
            self.parts["last_columns"] = layers.ColumnDecoder(units[0], n_groups=self.n_groups, bag=self.bag)
            self.parts["groups"] = layers.Table("columns", 1, penalised=False, trainable=False)
        if sum(self.numbers):
            self.parts["first_numbers"] = keras.layers.Dense(units[0], use_bias=False)
            self.parts["last_numbers"] = keras.layers.Dense(sum(self.numbers))
        for number, n_units in enumerate(units[1:], start=1):
            self.parts[f"encoder_{number}"] = keras.layers.Dense(n_units)
        for number, n_units in enumerate(units[-2::-1], start=1):
            self.parts[f"decoder_{number}"] = keras.layers.Dense(n_units, activation=self.activation)

    def encode(self, inputs: Mapping[str, Any]) -> Any:
        """Return the codes (N, n_components)."""
        terms = []
        if self.has_columns:
            terms.append(self.parts["first_columns"](inputs["columns"], self._values(inputs)))
        if sum(self.numbers):
            terms.append(self.parts["first_numbers"](self.noise(inputs["numbers"])))
        x = self.parts["first_bias"](sum(terms[1:], terms[0]))
        for number in range(1, len(self.units)):
            x = self.parts[f"encoder_{number}"](self.activate(x))
        return x

    def decode(self, inputs: Mapping[str, Any]) -> Any:
        """Return the numbers, and then the probabilities or values of the columns, for ``inputs["codes"]``."""
        x, outputs = self._hidden(inputs["codes"]), []
        if sum(self.numbers):
            outputs.append(self.parts["last_numbers"](x))
        if self.has_columns:
            decoder = self.parts["last_columns"]
            outputs.append(decoder.decoded(decoder(x), self._groups()))
        return self.keras.ops.concatenate(outputs, axis=1)

    def losses(self, inputs: Mapping[str, Any]) -> Any:
        """Return the reconstruction errors of rows: (N, 1)."""
        x, losses = self._hidden(self.encode(inputs)), []
        if self.has_columns:
            decoder = self.parts["last_columns"]
            losses.append(decoder.losses(decoder(x), self._groups(), inputs["columns"], self._values(inputs)))
        if sum(self.numbers):
            n_numeric, n_flags, _ = self.numbers
            outputs, counts = self.parts["last_numbers"](x), {"n_numeric": n_numeric, "n_flags": n_flags}
            losses.append(self.layers.number_losses(outputs, inputs["numbers"], absent=self.absent, **counts))
        return sum(losses[1:], losses[0])[:, None]

    def _hidden(self, codes: Any) -> Any:
        for number in range(1, len(self.units)):
            codes = self.parts[f"decoder_{number}"](codes)
        return codes

    def _groups(self) -> Any:
        ops, table = self.keras.ops, self.parts["groups"]
        columns = ops.arange(1, ops.shape(table.embeddings.value)[0], dtype="int32")
        return ops.cast(table(columns)[:, 0], "int32")

    def _values(self, inputs: Mapping[str, Any]) -> Any:
        if "values" in inputs:
            return self.layers.floats(inputs["values"])
        return self.keras.ops.ones_like(inputs["columns"], dtype="float32")


def build_network(keras: Any, layers: Any, **config: Any) -> Any:
    """Build the autoencoder; its only output is the loss of each row.

    Parameters
    ----------
    keras, layers : modules
    **config
        numbers : (int, int, int)
            Numbers of numeric fields, of flags, and of the places of arrays.
        absent : tuple of (int, int)
            See :func:`skrec._engine.layers.number_losses`.
        has_columns : bool
            Whether there are one-hot columns.
        n_groups, bag
            See :class:`skrec._engine.layers.ColumnDecoder`.
        units : tuple of int
            Numbers of units of the hidden layers of the encoder, and the number of components at last.
        activation : str
        width : int
            About how many numbers a row has in the last layer.
    """
    network = _Autoencoder(keras, layers, **config)
    return layers.Network(
        query=network.losses,
        item=lambda inputs: inputs["numbers"][:, :0],
        interact=lambda query, item: query,  # noqa: ARG005
        parts=network.parts,
        width=network.width,
        views={"encode": network.encode, "decode": network.decode},
    )
