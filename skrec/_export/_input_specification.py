"""What the inputs and outputs of an exported network mean, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from skrec._version import __version__

__all__ = ["INPUTS", "VOCABULARIES", "input_specification", "vocabularies"]

INPUTS, VOCABULARIES = "inputs.json", "vocabularies.json"
_MEANINGS = {
    "user": "code of the user in 'users' of vocabularies.json; 0 for an unknown user",
    "item": "code of the item in 'items' of vocabularies.json; 0 for an unknown item",
    "query_sparse": "places, from 1, of the nonzero columns of a row in 'sparse' of vocabularies.json, left-padded",
    "query_values": "the bits of the float32 values of these columns, divided by their scales, as int32",
    "query_codes": "rows of the 'categorical' fields of 'query' in vocabularies.json, one column per field",
    "item_codes": "rows of the 'categorical' fields of 'item' in vocabularies.json, one column per field",
    "query_numbers": "the 'numbers' of 'query' in vocabularies.json, standardized, then the flags",
    "item_numbers": "the 'numbers' of 'item' in vocabularies.json, standardized, then the flags",
    "query_arrays": "the 'arrays' of 'query' in vocabularies.json side by side, standardized; 0 if missing",
    "item_arrays": "the 'arrays' of 'item' in vocabularies.json side by side, standardized; 0 if missing",
}
_SEQUENCE = "codes of the items of the latest events, the latest last, left-padded with -1"
_SET = "codes of the items of the user, each once, left-padded with -1"


def vocabularies(model: Any) -> dict[str, Any]:
    """Return the ids and categories that a fitted network knows, with the constants that standardize numbers."""
    found: dict[str, Any] = {"skrec_version": __version__, "unknown": 0}
    for role in ("user", "item"):
        if model._has_role(role):
            state = getattr(model, f"_{role}s").to_state()
            ids = state["ids"]
            pairs = zip(ids.tolist() if isinstance(ids, np.ndarray) else ids, range(1, len(ids) + 1), strict=True)
            found[f"{role}s"] = {"column": state["name"], "codes": [[key, code] for key, code in pairs]}
    for side in ("query", "item"):
        fields = getattr(model, f"_{side}_fields", None)
        if fields is not None and fields.names:
            found[side] = dict(_encodings(fields))
    columns = getattr(model, "_bag_columns", None)
    if columns is not None:
        found["sparse"] = {"columns": columns.tolist(), "scales": model._bag_scales.tolist()}
    return found


def _encodings(fields: Any) -> Iterator[tuple[str, Any]]:
    """Yield the encodings of the fields of one side, by kind."""
    layout, categories = fields.layout, []
    for one in fields.categories:
        ids = one.vocabulary.to_state()["ids"]
        ids = ids.tolist() if isinstance(ids, np.ndarray) else ids
        rows = [[key, int(row)] for key, row in zip(ids, one.rows[1:], strict=True)]
        categories.append({"column": one.vocabulary.name, "unknown": one.unknown, "missing": one.missing, "rows": rows})
    n_single, n_numeric = len(layout.categorical), len(layout.numeric)
    yield "categorical", categories[:n_single]
    several = [{key: value for key, value in one.items() if key != "missing"} for one in categories[n_single:]]
    yield "multivalued", [{**one, "separator": fields.separator} for one in several]
    places: list[dict[str, Any]] = [
        {"mean": float(mean), "scale": float(scale)} for mean, scale in zip(fields.means, fields.scales, strict=True)
    ]
    for place, limits in zip(places, [] if fields.limits is None else fields.limits.tolist(), strict=False):
        place["limits"] = [limit if np.isfinite(limit) else None for limit in limits]
    yield "numbers", [{"column": name, **place} for name, place in zip(layout.numeric, places, strict=False)]
    arrays, at = [], n_numeric
    for name, width in layout.arrays:
        arrays.append({"column": name, "width": width, "places": places[at : at + width]})
        at += width
    yield "arrays", arrays
    flaggable = [*layout.numeric, *(name for name, _ in layout.arrays)]
    missing = [{"column": flaggable[at], "is": None} for at in fields.flagged.tolist()]
    yield "flags", [*missing, *({"column": layout.numeric[at], "is": value} for at, value in fields.sentinels)]


def input_specification(model: Any, flat: dict[str, Any], *, format: str, dot: bool) -> dict[str, Any]:  # noqa: A002
    """Return the inputs and outputs of each function: names, types, shapes and meanings."""
    functions = {
        name: {
            "inputs": {key: _described(spec, _meaning(model, key)) for key, spec in _given(function).items()},
            "outputs": {
                key: _described(spec, _result(model, key)) for key, spec in sorted(function.structured_outputs.items())
            },
        }
        for name, function in flat.items()
    }
    found = {
        "skrec_version": __version__,
        "format": format,
        "estimator": type(model).__name__,
        "scores_are_dot_products": dot,
        "functions": functions,
    }
    classes = getattr(model, "classes_", None)
    if classes is not None:
        found["classes"] = [one.item() if isinstance(one, np.generic) else one for one in np.asarray(classes).ravel()]
    return found


def _given(function: Any) -> dict[str, Any]:
    return dict(function.structured_input_signature[1])


def _described(spec: Any, meaning: str) -> dict[str, Any]:
    return {"dtype": spec.dtype.name, "shape": [*spec.shape.as_list()], "meaning": meaning}


def _meaning(model: Any, name: str) -> str:
    if name == "history":
        return _SET if name in model._inputs_of_any_width() else _SEQUENCE
    if name in {"ratings", "rating_values"}:
        other = "user" if getattr(model, "by", "item") == "item" else "item"
        if name == "ratings":
            return f"codes of the {other}s with a rating, left-padded with -1"
        return "the bits of the float32 input values of these ratings, as int32"
    if "_bag_" in name:
        side, _, at = name.partition("_bag_")
        return f"distinct rows, ascending, of field {at} of 'multivalued' of {side!r} in vocabularies.json, then -1"
    side, _, at = name.rpartition("_")
    if side in {"query", "item"} and at.isdigit():
        return f"output {name!r} of the function {side!r}"
    return _MEANINGS.get(name, f"input {name!r} of {type(model).__name__}")


def _result(model: Any, name: str) -> str:
    from sklearn.base import is_classifier, is_regressor

    if name != "scores":
        return f"part {name.rpartition('_')[2]} of the representation, an input of 'interact'"
    if is_regressor(model):
        return "predicted value"
    if is_classifier(model):
        return "logit: the sigmoid of one output is the probability of the last class; softmax of several outputs"
    return "relevance, by which items are ranked; higher is better"
