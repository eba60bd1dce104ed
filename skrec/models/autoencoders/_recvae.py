"""RecVAE: a variational autoencoder with a composite prior and alternating updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, pi
from numbers import Integral, Real
from typing import Any, ClassVar

from skrec._data import Interactions
from skrec._estimators import Interval
from skrec.base.autoencoder import AutoencoderRanker
from skrec.base.autoencoder_docs import autoencoder
from skrec.base.events import Events

__all__ = ["RecVAERanker"]

_REFERENCES = """\
I. Shenbin, A. Alekseev, E. Tutubalina, V. Malykh, S. I. Nikolenko. "RecVAE: A New Variational Autoencoder for Top-N
Recommendations with Implicit Feedback". WSDM 2020, doi:10.1145/3336191.3371831."""

_HIDDEN = """\
hidden_units : tuple of int, default={hidden_units}
    Widths of the layers of the encoder, which must be equal: the input of each layer is the sum of the outputs of all
    layers before it. The decoder is linear.
embedding_dim : int, default={embedding_dim}
    Dimension of the latent representation of a user."""

_PRIOR = """\
gamma : float, default={gamma}
    Weight of the Kullback-Leibler divergence of the latent representation from the composite prior, for each item of
    a user: users with more items have a larger weight.
n_encoder_epochs, n_decoder_epochs : int, default={n_encoder_epochs} and {n_decoder_epochs}
    Number of epochs in turn in which only the encoder and only the decoder are trained. Each of them counts as one of
    the ``epochs``."""

_STANDARD, _POSTERIOR, _WIDE = 3 / 20, 3 / 4, 1 / 10  # shares of the parts of the prior
_WIDE_LOG_VARIANCE = 10.0


@autoencoder(architecture=_PRIOR, references=_REFERENCES, hidden=_HIDDEN)
@dataclass(eq=False, repr=False, kw_only=True)
class RecVAERanker(AutoencoderRanker):
    """RecVAE (Shenbin et al., 2020): a variational autoencoder with a composite prior and alternating updates.

    It extends :class:`MultVAERanker` by an encoder of densely connected layers; a prior that is a mixture of the
    standard normal distribution, a wide one, and what the encoder returned before its last update; a weight of the
    divergence in proportion to the number of items of the user; and updates of the encoder and the decoder in turn,
    where items of the input are dropped only for the encoder.

    Users are represented only by their items. New users can therefore be scored (``recommend(history=...)``), and
    :meth:`append_history` takes effect without training. Users without items get the most popular items.
    """

    hidden_units: Any = (600, 600, 600)
    gamma: float = 0.005
    n_encoder_epochs: int = 3
    n_decoder_epochs: int = 1

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "gamma": [Interval(Real, 0, None, closed="left")],
        "n_encoder_epochs": [Interval(Integral, 1, None, closed="left")],
        "n_decoder_epochs": [Interval(Integral, 1, None, closed="left")],
    }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        return {**space, "gamma": distributions.FloatDistribution(0.001, 0.05, log=True)}

    def _network_config(self, n_outputs: int) -> dict[str, Any]:
        config = super()._network_config(n_outputs)
        units = config["hidden_units"]
        if not units or len(set(units)) > 1:
            raise ValueError(
                f"hidden_units is {units!r}, but the layers of RecVAE are added up: pass one width for each layer, all "
                "equal, such as (600, 600, 600)."
            )
        return config

    def _added_losses(self) -> dict[str, float]:
        return {"added": float(self.gamma)}

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        plan = super()._training(events, log)
        n = len(self.hidden_units)
        encoder = tuple(f"encoder_{name}" for name in _parts_of_encoder(n))
        plan["structure"]["phases"] = ((encoder, True), (("item",), False))
        plan["settings"]["phase_epochs"] = (int(self.n_encoder_epochs), int(self.n_decoder_epochs))
        return plan

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, hidden_units: tuple[int, ...], dim: int) -> Any:
        ops, n, width = keras.ops, len(hidden_units), hidden_units[0]
        parts: dict[str, Any] = {}
        for name, trained in (("encoder", True), ("prior", False)):
            parts[f"{name}_1"] = layers.Bag("item", width, trainable=trained, penalised=trained, dropout=trained)
            parts[f"{name}_1_bias"] = layers.Bias(width)
            for i in range(1, n + 1):
                if i > 1:
                    parts[f"{name}_{i}"] = keras.layers.Dense(width)
                parts[f"{name}_{i}_norm"] = keras.layers.LayerNormalization(epsilon=0.1)
            parts[f"{name}_output"] = keras.layers.Dense(2 * dim)
            for part in _parts_of_encoder(n):
                parts[f"{name}_{part}"].trainable = trained

        def encode(name: str, history: Any) -> tuple[Any, Any]:
            x = parts[f"{name}_1_bias"](parts[f"{name}_1"](history))
            earlier: list[Any] = []
            for i in range(1, n + 1):
                x = parts[f"{name}_{i}"](x) if i > 1 else x
                x = parts[f"{name}_{i}_norm"](ops.silu(sum(earlier, x)))
                earlier.append(x)
            x = parts[f"{name}_output"](x)
            return x[:, :dim], x[:, dim:]

        def decoded(inputs: Mapping[str, Any]) -> Any:
            history = inputs["history"]
            mean, log_variance = encode("encoder", history)
            z = layers.sampled(mean, log_variance)
            prior = encode("prior", history)  # called while scoring, too, so that its layers are built
            step = layers.current_context()
            if step is not None:  # in training
                posterior = _log_normal(ops, z, mean, log_variance)
                mixture = [
                    _log_normal(ops, z, 0.0, ops.zeros_like(z)) + log(_STANDARD),
                    _log_normal(ops, z, *prior) + log(_POSTERIOR),
                    _log_normal(ops, z, 0.0, ops.full_like(z, _WIDE_LOG_VARIANCE)) + log(_WIDE),
                ]
                divergence = posterior - ops.logsumexp(ops.stack(mixture, axis=-1), axis=-1)
                n_items = ops.sum(ops.cast(history > 0, "float32"), axis=1)
                step.add_loss(n_items * ops.sum(divergence, axis=1))
            return z

        copies = {f"prior_{part}": f"encoder_{part}" for part in _parts_of_encoder(n)}
        return layers.item_decoder(parts, decoded, dim, copies=copies)


def _parts_of_encoder(n_layers: int) -> list[str]:
    numbers = range(1, n_layers + 1)
    return [*map(str, numbers), "1_bias", *(f"{i}_norm" for i in numbers), "output"]


def _log_normal(ops: Any, x: Any, mean: Any, log_variance: Any) -> Any:
    return -0.5 * (log_variance + log(2 * pi) + ops.square(x - mean) / ops.exp(log_variance))
