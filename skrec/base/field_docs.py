"""Docstrings of field models: the sections that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

from skrec.base.docs import (
    CLASS_WEIGHT,
    CLASSES,
    CLASSIFIER_LOSS,
    ENOUGH_EVENTS,
    ENOUGH_ROWS_OF_FIELDS,
    FITTED,
    HELD_OUT_EVENTS,
    HELD_OUT_ROWS,
    MEAN_LOG_LOSS,
    MEAN_SQUARED_ERROR,
    RANKING,
    REGRESSOR_LOSS,
    ROLES,
    training,
    with_sections,
)

_Class = TypeVar("_Class", bound=type)

FIELD_COLUMNS = """\
categorical_features : "from_dtype", array-like of str, int or bool, callable or None, default="from_dtype"
    Categorical columns: names, positions, a boolean mask over the columns, or a callable that takes ``X`` and returns
    any of these. If ``"from_dtype"``, columns of strings, categories, objects and booleans are categorical. Columns of
    lists and of arrays are always recognized, and all other columns are numeric. Missing values are allowed in every
    kind of column.
multivalued_features : array-like of str or int, default=None
    Columns of delimited strings with several values per row (``"Drama|War"``). Columns of lists need not be named.
separator : str or None, default="|"
    Separator at which the strings of `multivalued_features` are split. Whitespace around the parts is stripped.
min_frequency : int, default=1
    Minimum number of rows of a category. Rarer categories are treated as unknown."""

FIELDS = (
    FIELD_COLUMNS
    + """
item_features : "auto", array-like of str or int, or None, default="auto"
    Columns that describe the item; all others describe the query. If ``"auto"``, these are the columns that are
    constant over the rows of an item but not over the rows of a user. Missing values and up to 3 % of deviating rows
    (relative to the number expected by chance) are tolerated, and items with a single row are ignored.
    ``column_roles_`` gives each decision with its reason, and a warning names the unclear columns. Only used with an
    item column.
embedding_dim : {dim_type}, default=16
    {dim}
numeric_embedding : {{"piecewise", "linear", "bag"}}, default="piecewise"
    Embedding of numeric columns. ``"piecewise"`` combines the vectors of the bins up to the value (Gorishniy et al.,
    2022, arXiv:2203.05556); ``"linear"`` multiplies a vector by the value. Numbers are standardized first, and arrays
    are scaled to a length of about 1. A missing value adds a separate vector. Values more than 10 robust standard
    deviations from the median are excluded from the standardization: if ``fit`` sees such a value repeatedly, such as
    -999, it gets its own vector; otherwise it is clipped near the limit.
    ``"bag"`` makes a single field of all columns: the sum of value times vector over the nonzero columns, each divided
    by its maximum absolute value. In factorization machines, this adds the products of all pairs of columns, as in
    libFM (Rendle, 2012, doi:10.1145/2168752.2168771). The columns of a sparse ``X`` are always treated this way, except
    that columns with a value in more than half of the rows remain numeric with ``"piecewise"`` and ``"linear"``.
    ``"bag"`` is not available in models that need users and items.
n_bins : int, default=64
    Number of quantile bins of ``"piecewise"``. In small tables with ``early_stopping="auto"``, there are fewer or none.
pooling : {{"mean", "sum", "max"}}, default="mean"
    How the vectors of several values are combined into one."""
)

_UNKNOWN = """\
How to handle a user or item that was not seen during ``fit``. If ``"oov"``, it is scored with the embedding trained
    for unknown ids. If ``"error"``, :class:`~skrec.exceptions.UnknownIdError` is raised. Unknown categories of features
    are always scored with the embedding for unknown values."""

_TABLE_ROLES = """\
Columns of the user, the item and the time, by name or position. They are optional: without `user` and `item`, any
    columns of ids are features like all others. With both, the model can recommend items. If `time` is None, a column
    ``"timestamp"`` is the time. The time is not a feature."""

_EVENT_ROLES = """\
Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. The time is not a
    feature."""

_TASKS: dict[str, dict[str, str]] = {
    "Classifier": {
        "roles": _TABLE_ROLES,
        "held_out": HELD_OUT_ROWS,
        "fraction": "0.1",
        "auto": ENOUGH_ROWS_OF_FIELDS,
        "score": "val_score",
        "more": f"{CLASSIFIER_LOSS}\n{CLASS_WEIGHT}",
        "attributes": f"{CLASSES}\n",
        "scores": MEAN_LOG_LOSS,
        "example": """\
>>> import pandas as pd
>>> from skrec.models import {name}
>>> X = pd.DataFrame({{"city": ["Bern", "Rome"] * 50, "age": range(100)}})
>>> model = {name}(epochs=2, random_state=0).fit(X, ["no", "yes"] * 50)
>>> model.predict_proba(X[:3]).shape
(3, 2)""",
    },
    "Regressor": {
        "roles": _TABLE_ROLES,
        "held_out": HELD_OUT_ROWS,
        "fraction": "0.1",
        "auto": ENOUGH_ROWS_OF_FIELDS,
        "score": "val_score",
        "more": REGRESSOR_LOSS,
        "attributes": "",
        "scores": MEAN_SQUARED_ERROR,
        "example": """\
>>> import pandas as pd
>>> from skrec.models import {name}
>>> X = pd.DataFrame({{"city": ["Bern", "Rome"] * 50, "age": range(100)}})
>>> model = {name}(epochs=2, random_state=0).fit(X, range(100))
>>> model.predict(X[:3]).shape
(3,)""",
    },
    "Ranker": {
        "roles": _EVENT_ROLES,
        "held_out": HELD_OUT_EVENTS,
        "fraction": '"auto"',
        "auto": ENOUGH_EVENTS,
        "score": "val_ndcg",
        "more": "",
        "attributes": "",
        "scores": "NDCG@10 of the held-out events, ranked among the whole catalogue,",
        "example": """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> events = make_interactions(50, 30, 500, random_state=0)
>>> model = {name}(epochs=2, random_state=0).fit(events)
>>> model.recommend([3, 5], k=2)["rank"].tolist()
[1, 2, 1, 2]""",
    },
}


_EVENTS = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> X, y = make_interactions(20, 10, 150, target="{target}", random_state=0)
>>> model = {name}(epochs=2, random_state=0).fit(X, y)
>>> model.{method}(X[:3]).shape
{shape}"""

_EVENT_EXAMPLES = {
    "Classifier": {"target": "label", "method": "predict_proba", "shape": "(3, 2)"},
    "Regressor": {"target": "rating", "method": "predict", "shape": "(3,)"},
}

_FIELD_NAMES = """\
column_roles_ : DataFrame
    Role of each column of ``X`` (user, item, time, item feature, user feature, context, feature), its kind, and the
    reason for the decision.
field_names_ : tuple of str
    Names of the fields in the order used by the network: the query fields, then the item fields.
"""


def field_model(
    *, architecture: str, references: str, one_dim: bool = True, factorised: bool = False, needs_ids: bool = False
) -> Callable[[_Class], _Class]:
    """Append the shared sections to the docstring of a field model."""

    def fill(cls: _Class) -> _Class:
        task = next(name for name in _TASKS if cls.__name__.endswith(name))
        texts = dict(_TASKS[task])
        if needs_ids:
            texts["roles"] = _EVENT_ROLES
            if task in _EVENT_EXAMPLES:
                texts["example"] = _EVENTS.format(name="{name}", **_EVENT_EXAMPLES[task])
        defaults = {field.name: field.default for field in fields(cls)}
        parameters = [
            ROLES.format(roles=texts["roles"], unknown=_UNKNOWN),
            FIELDS.format(
                dim_type="int" if one_dim else "int or dict",
                dim="Dimension of the embedding of each field."
                if one_dim
                else 'Dimension of the embedding of each field. A dict, such as ``{"city": 8}``, sets it for the\n'
                "    fields that it names; the others use 16.",
            ),
            architecture,
            training(
                held_out=texts["held_out"],
                fraction=texts["fraction"],
                auto=texts["auto"],
                score=texts["score"],
                rate=defaults["learning_rate"],
                l2=defaults["l2"],
            ),
            texts["more"],
        ]
        if task == "Ranker":
            parameters.append(
                RANKING.format(
                    auto_loss="``softmax``" if factorised else "``log_loss``",
                    negatives='Number of negatives per row. ``"auto"`` is 4.'
                    if not factorised
                    else "Number of negatives. With ``softmax``, the number per batch, whose rows share them; else\n"
                    '    the number per row. If ``"all"``, the whole catalogue is used. If ``"auto"``, ``softmax``\n'
                    "    uses all items if there are at most 1,024, else 1,024; other losses use 4 per row.",
                )
            )
        fitted = FITTED.format(scores=texts["scores"])
        if task != "Ranker":
            fitted = fitted.replace("    Known ids.", "    Known ids; only with user and item columns.")
        sections = {
            "Parameters": "\n".join(filter(None, parameters)),
            "Attributes": texts["attributes"] + _FIELD_NAMES + fitted,
            "References": references,
            "Examples": texts["example"].format(name=cls.__name__),
        }
        return with_sections(cls, sections)

    return fill
