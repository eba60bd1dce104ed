"""The columns of a fitted model: what rows of a request hold, and the table that the model is given for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Column", "Columns", "IdKind", "columns_of"]

IdKind = Literal["integer", "number", "text", "any"]


@dataclass(frozen=True)
class Column:
    """A column of the rows of ``fit``.

    Parameters
    ----------
    name : str
    role : str
        As in ``column_roles_`` of a model; ``"feature"`` where that is not known.
    kind : str
        ``"id"``, ``"time"``, ``"categorical"``, ``"multivalued"``, ``"numeric"``, ``"array"``, or empty if unknown.
    """

    name: str
    role: str = "feature"
    kind: str = ""


@dataclass(frozen=True)
class Columns:
    """The columns that a model was fitted on.

    Parameters
    ----------
    model : object
        The model itself, without the Pipeline or search around it.
    direct : bool
        Whether raw rows go to the model, without transformers in between.
    recommends : bool
        Whether the model ranks a catalogue.
    all : tuple of Column
        In the order of ``fit``.
    user, item, time : str
        Names; empty if there is none.
    user_ids, item_ids : "integer", "number", "text" or "any"
        The types of the ids.
    catalogue : array-like, default=None
        The raw ids of all items, if the model is not direct.
    named : bool, default=True
        Whether ``fit`` saw names of columns; otherwise arrays are made.
    """

    model: Any
    direct: bool
    recommends: bool
    all: tuple[Column, ...]
    user: str = ""
    item: str = ""
    time: str = ""
    user_ids: IdKind = "any"
    item_ids: IdKind = "any"
    catalogue: Any = None
    named: bool = True

    @property
    def names(self) -> list[str]:
        """Names of all columns, in the order of ``fit``."""
        return [column.name for column in self.all]

    def items(self) -> list[Any]:
        """Return the raw ids of all items."""
        ids: list[Any] = (self.model.items_ if self.catalogue is None else self.catalogue).tolist()
        return ids

    def frame(self, rows: Sequence[Mapping[str, Any]], *, partial: bool = False) -> Any:
        """Return rows as the table that the model takes.

        Parameters
        ----------
        rows : list of dict
            Values by name of column.
        partial : bool, default=False
            Whether rows may have fewer columns than ``fit``, all the same ones.

        Returns
        -------
        DataFrame
            An array if ``fit`` saw no names.
        """
        import pandas as pd

        known = list(dict.fromkeys(name for row in rows for name in row))
        order = [name for name in self.names if name in set(known)]
        unknown = [name for name in known if name not in set(order)]
        frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in [*order, *unknown]})
        kinds = {column.name: column.kind for column in self.all}
        for name in frame.columns:
            if kinds.get(name) == "time" and any(isinstance(value, str) for value in frame[name]):
                frame[name] = as_times(frame[name])
        if self.named or (partial and len(order) < len(self.all)):
            return frame
        return frame.to_numpy()


def as_times(values: Any) -> Any:
    """Return a column of times that were written as text, as a column of times."""
    import pandas as pd

    try:
        return pd.to_datetime(values, format="ISO8601", utc=any("Z" in str(v) or "+" in str(v) for v in values))
    except ValueError as error:
        raise ValueError(
            f"The column {values.name!r} holds a time that is not ISO 8601, such as 2026-01-31T12:00:00: {error}"
        ) from None


def columns_of(estimator: Any) -> Columns:
    """Return the columns of a fitted model, or of a Pipeline or search that ends in one."""
    if _ranks(estimator) or not any(
        hasattr(estimator, name) for name in ("named_steps", "best_estimator_", "estimator")
    ):
        return _columns_of_model(estimator)
    from skrec._recommend import unwrap

    unwrapped = unwrap(estimator)
    if not unwrapped.transformers:
        return _columns_of_model(unwrapped.model)
    return _columns_behind(estimator, unwrapped)


def _ranks(model: Any) -> bool:
    return all(callable(getattr(model, name, None)) for name in ("recommend", "score_items"))


def _columns_of_model(model: Any) -> Columns:
    roles = getattr(model, "roles_", None)
    recommends = _ranks(model) and roles is not None and roles.user >= 0 and roles.item >= 0
    named = getattr(model, "feature_names_in_", None)
    names = [str(name) for name in named] if named is not None else []
    if roles is not None and not names:
        names = [f"column_{at}" for at in range(int(getattr(model, "n_features_in_", 0)))]
        given = {roles.user: roles.user_name, roles.item: roles.item_name} if recommends else {}
        if roles.time is not None:
            given[roles.time] = roles.time_name
        names = [given.get(at, name) for at, name in enumerate(names)]
    kinds = [("feature", "")] * len(names)
    table = getattr(model, "column_roles_", None)
    if table is not None and len(table) == len(names):
        kinds = list(zip(table["role"].tolist(), table["kind"].tolist(), strict=True))
    columns = tuple(Column(name, *kind) for name, kind in zip(names, kinds, strict=True))
    if not recommends or roles is None:
        return Columns(model, direct=True, recommends=False, all=columns, named=named is not None)
    return Columns(
        model,
        direct=True,
        recommends=True,
        all=columns,
        user=roles.user_name,
        item=roles.item_name,
        time="" if roles.time is None else roles.time_name,
        user_ids=_id_kind(model.users_),
        item_ids=_id_kind(model.items_),
        named=named is not None,
    )


def _columns_behind(estimator: Any, unwrapped: Any) -> Columns:
    """Return the raw columns of a model behind transformers."""
    named = getattr(estimator, "feature_names_in_", None)
    names = [str(name) for name in named] if named is not None else []
    if (
        not _ranks(unwrapped.model)
        or getattr(unwrapped.model, "roles_", None) is None
        or unwrapped.model.roles_.user < 0
    ):
        every = tuple(map(Column, names))
        return Columns(unwrapped.model, direct=False, recommends=False, all=every, named=named is not None)
    from skrec._recommend._behind_pipeline import EncodedSpace

    space = EncodedSpace(unwrapped)
    roles = {space.user_name: ("user", "id"), space.item_name: ("item", "id")}
    names = names or [space.user_name, space.item_name]
    return Columns(
        unwrapped.model,
        direct=False,
        recommends=True,
        all=tuple(Column(name, *roles.get(name, ("feature", ""))) for name in names),
        user=space.user_name,
        item=space.item_name,
        user_ids=_id_kind(space.known_users),
        item_ids=_id_kind(space.catalogue),
        catalogue=space.catalogue,
        named=named is not None,
    )


def _id_kind(ids: Any) -> IdKind:
    kind = ids.dtype.kind
    if kind in "iu":
        return "integer"
    if kind == "f":
        return "number"
    if kind in "UT" or (kind == "O" and len(ids) and all(isinstance(value, str) for value in ids.tolist())):
        return "text"
    return "any"
