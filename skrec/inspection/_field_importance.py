"""Importance of fields for the predictions of a fitted model."""

from __future__ import annotations

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skrec._data import ABSENT
from skrec._sklearn_compat import Interval, validate_parameter_constraints
from skrec.base.events import Inputs
from skrec.base.field_model import FieldModel
from skrec.inspection._fitted import fitted, prediction_scale, row_inputs

__all__ = ["field_importance", "field_model"]


def field_importance(estimator: Any, X: Any, *, n_repeats: int = 5, random_state: Any = None) -> pd.Series:
    """Return how much the predictions of a model of features depend on each field.

    The importance of a field is the mean over the rows of the absolute *prediction difference* (Robnik-Sikonja &
    Kononenko, 2008): the prediction minus its average when the field takes its values from other rows while all other
    fields keep theirs. Predictions are the log-odds of a Classifier, the value of a Regressor or the score of a Ranker;
    for more than two classes, the mean over all logits, centered in each row.

    The importance shows what the model uses, and needs no labels. Use :func:`sklearn.inspection.permutation_importance`
    to measure the effect on held-out labels. If several fields carry the same information, each of them may seem
    unimportant, because the others replace it.

    Parameters
    ----------
    estimator : estimator
        A fitted model of features (Classifier, Regressor or Ranker), or a Pipeline or search that ends in one.
    X : DataFrame or array-like of shape (n_rows, n_columns)
        At least two rows, as for ``predict``. They are scored n_fields * n_repeats times; a sample of a few thousand
        rows is usually enough.
    n_repeats : int, default=5
        Number of randomly drawn values of other rows in the average. Larger values reduce the variance; with small
        values, the importances of all fields are slightly too large.
    random_state : int, RandomState instance or None, default=None
        Random state for drawing the other rows. Pass an int for reproducible results.

    Returns
    -------
    Series of shape (n_fields,), float64
        Importances of at least 0, in the unit of the predictions, with the fields in the order of the model's
        ``field_names_``. A number or array and the flag of its missing values are one field, named after the column. A
        model of histories (DIN) has an additional last field, ``"history"``, for the whole past of a row.

    Raises
    ------
    TypeError
        If the estimator is not a model of features.
    NotFittedError
        If the estimator is not fitted.
    ValueError
        If `X` has a single row.

    See Also
    --------
    FieldImportanceDisplay : Plot the importances.
    sklearn.inspection.permutation_importance : Compute the decrease of a score, for any estimator.

    References
    ----------
    M. Robnik-Sikonja, I. Kononenko. "Explaining Classifications For Individual Instances". IEEE Transactions on
    Knowledge and Data Engineering 20(5), 2008, doi:10.1109/TKDE.2007.190734.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.inspection import field_importance
    >>> from skrec.models import FMClassifier
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": [20.0] * 100})
    >>> model = FMClassifier(epochs=10, random_state=0).fit(X, ["no", "yes"] * 50)
    >>> importance = field_importance(model, X, random_state=0)
    >>> list(importance.index), bool(importance["city"] > 0.5), float(importance["age"])
    (['city', 'age'], True, 0.0)
    """
    validate_parameter_constraints(
        {"n_repeats": [Interval(Integral, 1, None, closed="left")], "random_state": ["random_state"]},
        {"n_repeats": n_repeats, "random_state": random_state},
        caller_name="field_importance",
    )
    unwrapped = field_model(estimator)
    model: FieldModel = unwrapped.model
    inputs = {name: np.asarray(array) for name, array in row_inputs(unwrapped, X).items()}
    n_rows = len(next(iter(inputs.values())))
    if n_rows < 2:
        raise ValueError(
            "X has one row, but the importance of a field is computed with the values of other rows: add rows."
        )
    random = check_random_state(random_state)
    others = [random.permutation(n_rows) for _ in range(n_repeats)]
    predicted = _predictions(model, inputs)
    columns = [*_columns(model)] + [("history", {"history": np.s_[:]})] * ("history" in inputs)
    found = []
    for _, places in columns:
        average = sum(_predictions(model, _replaced(inputs, places, rows)) for rows in others) / n_repeats
        found.append(np.abs(predicted - average).mean())
    return pd.Series(found, [name for name, _ in columns], np.float64, "importance").rename_axis("field")


def field_model(estimator: Any) -> Any:
    """Check that an estimator is a fitted model of features, and unwrap it."""
    return fitted(estimator, FieldModel, "Only models of features (DCN, FM, ...) have fields: pass a fitted one")


def _predictions(model: FieldModel, inputs: Inputs) -> NDArray[np.float64]:
    logits: NDArray[np.float64] = model._network().pairs(inputs).astype(np.float64)
    of_tasks = getattr(model, "_task_outputs", (logits.shape[1],))
    for part in np.split(logits, np.cumsum(of_tasks)[:-1], axis=1):
        if part.shape[1] > 1:  # only differences between the logits of classes matter
            np.subtract(part, part.mean(axis=1, keepdims=True), out=part)
    return logits * prediction_scale(model)


def _replaced(inputs: Inputs, places: dict[str, Any], rows: NDArray[np.int64]) -> Inputs:
    """Replace the values of a field, at some ``places`` of the inputs, by those of other rows."""
    changed = dict(inputs)
    for name, place in places.items():
        changed[name] = inputs[name].copy()
        changed[name][place] = inputs[name][place][rows]
    return changed


def _columns(model: FieldModel) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the name of each field and its places in the inputs of the network."""
    roles = model._estimator_roles
    for side, role, fields in (("query", "user", model._query_fields), ("item", "item", model._item_fields)):
        layout = fields.layout
        if getattr(roles, role) != ABSENT:
            yield getattr(roles, f"{role}_name"), {role: np.s_[:]}
        for i, name in enumerate(layout.categorical):
            yield name, {f"{side}_codes": np.s_[:, i]}
        for i, name in enumerate(layout.multivalued):
            yield name, {f"{side}_bag_{i}": np.s_[:]}
        for i, name in enumerate(layout.numeric):
            flag = len(layout.numeric) + np.flatnonzero(fields.flagged == i)
            yield name, {f"{side}_numbers": np.s_[:, [i, *flag]]}
        start = 0
        for i, (name, width) in enumerate(layout.arrays, start=len(layout.numeric)):
            flag = len(layout.numeric) + np.flatnonzero(fields.flagged == i)
            flags = {f"{side}_numbers": np.s_[:, flag]} if len(flag) else {}
            yield name, {f"{side}_arrays": np.s_[:, start : start + width], **flags}
            start += width
        if side == "query" and model._bag_columns is not None:
            yield "sparse_columns", {"query_sparse": np.s_[:], "query_values": np.s_[:]}
