"""Layers for architectures, passed to every ``_build_network``."""

from skrec._engine.context import current_context
from skrec._engine.layers.attention import SelfAttention, past
from skrec._engine.layers.bag import Bag
from skrec._engine.layers.bias import Bias
from skrec._engine.layers.cross import Cross, FieldAttention, HashedCrosses, bi_interaction
from skrec._engine.layers.cross_compress import CrossCompress
from skrec._engine.layers.dropout import Dropout
from skrec._engine.layers.field_parts import FieldTable, Numbers, Side
from skrec._engine.layers.fields import Fields, embed, field_network, first_order, flatten
from skrec._engine.layers.graph import contrast, perturbed
from skrec._engine.layers.latent import floats, gaussian, item_decoder, sampled
from skrec._engine.layers.local_activation import Catalogue, LocalActivation, distinct
from skrec._engine.layers.network import Network, dense_stack, match, mlp
from skrec._engine.layers.reconstruction import ColumnDecoder, number_losses
from skrec._engine.layers.recurrent import GRU
from skrec._engine.layers.scale import Scale
from skrec._engine.layers.table import Table, penalise

__all__ = [
    "GRU",
    "Bag",
    "Bias",
    "Catalogue",
    "ColumnDecoder",
    "Cross",
    "CrossCompress",
    "Dropout",
    "FieldAttention",
    "FieldTable",
    "Fields",
    "HashedCrosses",
    "LocalActivation",
    "Network",
    "Numbers",
    "Scale",
    "SelfAttention",
    "Side",
    "Table",
    "bi_interaction",
    "contrast",
    "current_context",
    "dense_stack",
    "distinct",
    "embed",
    "field_network",
    "first_order",
    "flatten",
    "floats",
    "gaussian",
    "item_decoder",
    "match",
    "mlp",
    "number_losses",
    "past",
    "penalise",
    "perturbed",
    "sampled",
]
