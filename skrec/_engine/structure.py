"""The structure of a network and its training step, by which fits share a program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skrec._engine.batches import Column
from skrec._engine.layers import Network
from skrec._engine.own_loss import OwnLoss

__all__ = ["Structure"]


@dataclass(frozen=True)
class Structure:
    """Everything that a trace depends on; fits with the same structure share a program.

    Parameters
    ----------
    build : callable
        ``build(keras, layers, **network)`` returns the :class:`~skrec._engine.layers.Network`; a module-level function.
    network : tuple of (str, value) pairs
        Hyperparameters of the network.
    columns : tuple of Column
        Inputs of the network in a training row.
    catalogue : tuple of Column
        Inputs of an item besides its code, if negatives are sampled.
    losses : tuple of str
        Name of the loss of each target. A network with sampled negatives has one target.
    outputs : tuple of int
        Number of logits of each target, which are side by side in the output of the network.
    negatives : {None, "rows", "shared", "catalogue"}
        If None, rows have their own targets. Otherwise, negatives are sampled for each row (``"rows"``), for the whole
        batch (``"shared"``), or are all items (``"catalogue"``).
    optimizer : str
        Name of the optimizer.
    parameter_groups : tuple of str, tuple of str
        Name of a further optimizer, and the parts of the network that it trains.
    batch_size : int
        Number of rows per step.
    further : tuple of Column
        Inputs of the rows that are drawn in each step for an auxiliary loss.
    length : int
        Number of positions of a row that is a sequence, each with its own target. If 0, a row has one target.
    target_set : str or None
        Input of the network that holds the set of targets of each row, codes of ``target_role``. With
        ``negatives="catalogue"`` these are items, whose weights are in the column ``"target_weights"`` if there is one;
        otherwise each has its own value, in the column ``"target_values"``. If None, a row has one target.
    target_role : {"item", "user"}
        Whether rows are users and their targets are items, or the reverse.
    even : bool
        Whether penalties count the distinct targets of a batch alike, if each has its own value. If not, a target
        counts as often as it occurs.
    phases : tuple of (tuple of str, bool)
        Phases of training that take turns: the parts of the network that are trained, and whether there is dropout.
        If empty, all parts are trained in each step.
    popularity, in_batch, reject, penalised, dropout, id_dropout, scheduled : bool
        Whether negatives are sampled by popularity; whether the items of the batch are further negatives (for a softmax
        over dot products with shared negatives); whether the positives of the user are rejected; whether penalties,
        dropout and id dropout are used; whether a schedule sets the learning rate of each step.
    """

    build: Callable[..., Network]
    network: tuple[tuple[str, Any], ...]
    columns: tuple[Column, ...] = (Column("user"), Column("item"))
    catalogue: tuple[Column, ...] = ()
    losses: tuple[str | OwnLoss, ...] = ("log_loss",)
    outputs: tuple[int, ...] = (1,)
    negatives: str | None = None
    optimizer: str = "adam"
    parameter_groups: tuple[str, tuple[str, ...]] | None = None
    batch_size: int = 1024
    further: tuple[Column, ...] = ()
    length: int = 0
    target_set: str | None = None
    target_role: str = "item"
    even: bool = False
    phases: tuple[tuple[tuple[str, ...], bool], ...] = ()
    popularity: bool = False
    in_batch: bool = False
    reject: bool = False
    penalised: bool = False
    dropout: bool = False
    id_dropout: bool = False
    scheduled: bool = False
