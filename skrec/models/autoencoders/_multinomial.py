"""Autoencoders with a multinomial likelihood: Mult-VAE and Mult-DAE."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from skrec._estimators import Interval
from skrec.base.autoencoder import AutoencoderRanker
from skrec.base.autoencoder_docs import autoencoder

__all__ = ["MultDAERanker", "MultVAERanker"]


_REFERENCES = """\
D. Liang, R. G. Krishnan, M. D. Hoffman, T. Jebara. "Variational Autoencoders for Collaborative Filtering". WWW 2018,
doi:10.1145/3178876.3186150."""

_KL = """\
kl_weight : float, default={kl_weight}
    Weight of the Kullback-Leibler divergence of the latent representation from the prior, the paper's beta.
anneal_steps : int, default={anneal_steps}
    Number of training steps in which the weight grows linearly from 0 to ``kl_weight``. Steps are counted from the
    first call to ``fit`` with ``warm_start`` and ``partial_fit``."""


@autoencoder(architecture=_KL, references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class MultVAERanker(AutoencoderRanker):
    """Mult-VAE (Liang et al., 2018): a variational autoencoder with a multinomial likelihood.

    The encoder reads the items of a user and returns a normal distribution; the decoder maps a sample from it to the
    probabilities of all items. In training, some items of the input are dropped, and all of them are to be returned.
    Items are scored with the mean of the distribution, without noise.

    Users are represented only by their items. New users can therefore be scored (``recommend(history=...)``), and
    :meth:`append_history` takes effect without training. Users without items get the most popular items.
    """

    kl_weight: float = 0.2
    anneal_steps: int = 300

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "kl_weight": [Interval(Real, 0, None, closed="left")],
        "anneal_steps": [Interval(Integral, 0, None, closed="left")],
    }

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        return {**space, "kl_weight": distributions.FloatDistribution(0.01, 1.0, log=True)}

    def _added_losses(self) -> dict[str, float]:
        return {"added": float(self.kl_weight), "added_steps": float(self.anneal_steps)}

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, hidden_units: tuple[int, ...], dim: int) -> Any:
        return _network(keras, layers, hidden_units, dim, variational=True)


@autoencoder(architecture="", references=_REFERENCES)
@dataclass(eq=False, repr=False, kw_only=True)
class MultDAERanker(AutoencoderRanker):
    """Mult-DAE (Liang et al., 2018): a denoising autoencoder with a multinomial likelihood.

    It differs from :class:`MultVAERanker` in the latent representation, which is a vector instead of a distribution,
    and in the loss, which has no Kullback-Leibler divergence.

    Users are represented only by their items. New users can therefore be scored (``recommend(history=...)``), and
    :meth:`append_history` takes effect without training. Users without items get the most popular items.
    """

    @staticmethod
    def _build_network(keras: Any, layers: Any, *, hidden_units: tuple[int, ...], dim: int) -> Any:
        return _network(keras, layers, hidden_units, dim, variational=False)


def _network(keras: Any, layers: Any, hidden_units: tuple[int, ...], dim: int, *, variational: bool) -> Any:
    """Build items -> hidden units -> latent vector -> hidden units in reverse -> items."""
    ops = keras.ops
    code = 2 * dim if variational else dim
    widths = (*hidden_units, code)
    parts = {"encoder_1": layers.Bag("item", widths[0]), "encoder_1_bias": layers.Bias(widths[0])}
    for i, units in enumerate(widths[1:], start=2):
        parts[f"encoder_{i}"] = keras.layers.Dense(units)
    for i, units in enumerate(reversed(hidden_units), start=1):
        parts[f"decoder_{i}"] = keras.layers.Dense(units, activation="tanh")

    def decoded(inputs: Mapping[str, Any]) -> Any:
        x = parts["encoder_1_bias"](parts["encoder_1"](inputs["history"]))
        for i in range(2, len(widths) + 1):
            x = parts[f"encoder_{i}"](ops.tanh(x))
        x = layers.gaussian(x[:, :dim], x[:, dim:]) if variational else ops.tanh(x)
        for i in range(1, len(hidden_units) + 1):
            x = parts[f"decoder_{i}"](x)
        return x

    return layers.item_decoder(parts, decoded, (dim, *reversed(hidden_units))[-1])
