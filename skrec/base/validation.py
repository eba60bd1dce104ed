"""Validation rows that the caller passes to ``fit``."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

from skrec._data import Roles, Rows, Vocabulary
from skrec._data.ids.values import of_another_kind
from skrec._warnings import warn
from skrec.base.events import Events, Inputs
from skrec.base.reader import Codes

_CURE = (
    "A Pipeline transforms X_val only if it is created as Pipeline(..., transform_input=['X_val']), with "
    "sklearn.set_config(enable_metadata_routing=True) and set_fit_request(X_val=True, y_val=True) of the model."
)

_ABOUT = "The error is in X_val or y_val, the validation rows."


class ReadsEvents(Protocol):
    """Protocol of models that can read validation rows, which includes all estimators with a network."""

    _validated_roles: ClassVar[tuple[str, ...]]
    _estimator_roles: Roles
    _users: Vocabulary
    _items: Vocabulary

    def _read(self, X: Any, y: Any = ..., *, reset: bool, guess: bool = ...) -> Rows: ...

    def _has_role(self, role: str) -> bool: ...

    def _pair_codes(self, rows: Rows, *, allow_unknown: bool = ...) -> tuple[Codes, Codes]: ...

    def _targets(self, X: Any, y: Any, sample_weight: Any, *, fresh: bool, name: str = ...) -> tuple[Any, Any, int]: ...

    def _row_inputs(self, rows: Rows, users: Codes, items: Codes, *, fit: str | None = ...) -> Inputs: ...

    def _times(self, rows: Rows) -> NDArray[Any] | None: ...


def validation_events(model: ReadsEvents, X_val: Any, y_val: Any, n_rows: int) -> Events:
    """Read ``X_val`` and ``y_val`` for a model that has already read its `n_rows` training rows."""
    rows = _read(model, X_val)
    try:
        users, items = model._pair_codes(rows, allow_unknown=True)
        target, _, _ = model._targets(X_val, y_val, None, fresh=False, name="y_val")
        inputs, time = model._row_inputs(rows, users, items), model._times(rows)
    except (TypeError, ValueError) as error:
        error.add_note(f"{_ABOUT} {_CURE}")
        raise
    _warn_unlikely(model, rows, {"user": users, "item": items}, n_rows)
    return Events(users, items, inputs, target, time=time)


def _read(model: ReadsEvents, X_val: Any) -> Rows:
    """Read ``X_val``, and explain errors about its columns, which usually mean that a transformer has skipped it.

    A similar column name is not a misspelling in this case, and the message itself says so, because notes are easily
    missed.
    """
    try:
        return model._read(X_val, reset=False, guess=False)
    except ValueError as error:
        text = f"{error}".rstrip("\n")
        error.args = (f"{text}\n{_ABOUT} Pass them with the same columns that X had in fit. {_CURE}",)
        raise
    except TypeError as error:
        error.add_note(f"{_ABOUT} {_CURE}")
        raise


def _warn_unlikely(model: ReadsEvents, rows: Rows, codes: dict[str, Codes], n_rows: int) -> None:
    """Warn about suspicious validation rows: sliced like the training rows, or with ids that were not transformed."""
    if rows.n_rows == n_rows:
        warn(
            f"X_val has as many rows as X, {n_rows}. A scikit-learn search splits such an X_val like X, so that the "
            "epoch would be chosen by training rows. Pass an X_val of another length."
        )
    roles = model._estimator_roles
    for role, of_rows in codes.items():
        if not model._has_role(role) or of_rows.any():
            continue
        position, known = getattr(roles, role), getattr(model, f"_{role}s").ids
        ids = rows.column(position)
        if role in model._validated_roles or of_another_kind(ids, known):
            here, there = ids[:1].tolist()[0], known[:1].tolist()[0]
            warn(
                f"No {role} of X_val was in fit ({rows.label(position)} is {here!r} in row 0, and in fit for instance "
                f"{there!r}). All of them are treated as unknown when the epoch is chosen. If there is a transformer "
                f"before the model, it has not transformed X_val. {_CURE}"
            )
            return
