"""Initial weights of NeuMF from pre-trained parts (He et al., 2017, section 3.4.1)."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["from_pretrained"]

_SAME = "Use the same embedding_dim and mlp_embedding_dim for both."


def from_pretrained(weights: dict[str, np.ndarray], gmf: Any, mlp: Any, *, model: Any) -> dict[str, np.ndarray]:
    """Return weights with those of pre-trained parts: their tables side by side, and their weighted outputs.

    Parameters
    ----------
    weights : dict of str to ndarray
        Initial weights of the model. The dict is modified in place, its arrays are not.
    gmf, mlp : fitted estimator or None
        The pre-trained parts.
    model : estimator
        The model to initialize, with its vocabularies.
    """
    width = int(model.embedding_dim)
    if gmf is not None:
        _take_rows(weights, gmf, slice(None, width), model)
        _take(weights, gmf, "gmf_output/scale", model.pretrain_alpha if mlp is not None else 1.0)
    if mlp is not None:
        _take_rows(weights, mlp, slice(width, None), model)
        for name in mlp._weights:
            share = 1.0 - model.pretrain_alpha if name.startswith("mlp_output") and gmf is not None else 1.0
            if not name.startswith(("user", "item", "bias", "popularity")):
                _take(weights, mlp, name, share)
    parts = [part for part in (gmf, mlp) if part is not None]
    if not parts:
        return weights
    alphas = (model.pretrain_alpha, 1.0 - model.pretrain_alpha) if len(parts) == 2 else (1.0,)
    weights["bias/bias"] = _weighted_sum(alphas, [part._weights["bias/bias"] for part in parts])
    if (own := weights.get("item_bias/embeddings")) is not None:
        pretrained = [
            _replaced(own, part._weights["item_bias/embeddings"], part._items.encode(model._items.ids))
            for part in parts
        ]
        weights["item_bias/embeddings"] = _weighted_sum(alphas, pretrained)
    return weights


def _take_rows(weights: dict[str, np.ndarray], part: Any, columns: slice, model: Any) -> None:
    """Copy the tables of a part into columns of the model, id by id; other ids keep their initial rows."""
    for role, ours, its in (("user", model._users, part._users), ("item", model._items, part._items)):
        name = f"{role}/embeddings"
        table = weights[name] = weights[name].copy()
        pretrained = part._weights[name]
        if table[:, columns].shape[1] != pretrained.shape[1]:
            raise ValueError(
                f"The pre-trained {part.architecture} has embeddings of dimension {pretrained.shape[1]}, but this "
                f"model has dimension {table[:, columns].shape[1]}. {_SAME}"
            )
        table[:, columns] = _replaced(table[:, columns], pretrained, its.encode(ours.ids))


def _replaced(table: np.ndarray, pretrained: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return a table with the pre-trained rows of ids, of which ``codes`` are the rows there; 0 for those without."""
    table = table.copy()
    known = np.flatnonzero(codes)
    table[1 + known] = pretrained[codes[known]]
    table[0] = pretrained[0]
    return table


def _weighted_sum(shares: tuple[float, ...], arrays: list[np.ndarray]) -> np.ndarray:
    total = shares[0] * arrays[0]
    for share, array in zip(shares[1:], arrays[1:], strict=True):
        total = total + share * array
    return total


def _take(weights: dict[str, np.ndarray], part: Any, name: str, share: float) -> None:
    if name not in weights or weights[name].shape != part._weights[name].shape:
        raise ValueError(
            f"The layers of the pre-trained {part.architecture} differ from this model ({name} does not match). "
            "Use the same embedding_dim, mlp_embedding_dim and hidden_units for both."
        )
    weights[name] = share * part._weights[name]
