"""Text that docstrings of the methods of tasks share."""

from __future__ import annotations

from skrec._docs import documented

__all__ = ["ROWS", "SEEN", "VALIDATION_ROWS", "documented"]

ROWS = """\
X : DataFrame or array-like of shape (n_rows, n_columns)
    Rows with all columns of ``fit``, in the same order, including those that the model does not use."""

VALIDATION_ROWS = """\
X_val, y_val : DataFrame or array-like, default=None
    Validation rows, used to choose the best epoch instead of a part of ``X``, regardless of ``early_stopping``. In a
    Pipeline, they are transformed before this step only with ``transform_input=["X_val"]``, metadata routing and
    ``set_fit_request(X_val=True, y_val=True)``."""

SEEN = """\
seen : bool, default=False
    Whether these rows were passed to an earlier call, as in a second pass over the same data. If True, the model is
    trained on them again, but they are not counted, logged or added to histories a second time."""
