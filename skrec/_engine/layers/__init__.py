"""The layers that architectures are made of, handed to every ``_build_network``."""

from skrec._engine.layers.bias import Bias
from skrec._engine.layers.dropout import Dropout
from skrec._engine.layers.fields import FieldTable, Numbers, Side, embed, field_network, first_order, flatten
from skrec._engine.layers.network import Network, dense_stack, match
from skrec._engine.layers.scale import Scale
from skrec._engine.layers.table import Table, penalise

__all__ = [
    "Bias",
    "Dropout",
    "FieldTable",
    "Network",
    "Numbers",
    "Scale",
    "Side",
    "Table",
    "dense_stack",
    "embed",
    "field_network",
    "first_order",
    "flatten",
    "match",
    "penalise",
]
