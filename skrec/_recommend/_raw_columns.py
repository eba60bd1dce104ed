"""Rows as they come before all transformers: which columns they have, and which may be lacking."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from skrec._data.tables.columns import Column
from skrec._data.tables.spelling import meant
from skrec._data.tables.table import Rows, as_rows
from skrec._recommend._frames import as_ids, as_table, named_column, repeat, with_columns
from skrec.exceptions import ColumnError


@dataclass(frozen=True)
class RawColumns:
    """The columns that the first transformer was fitted on.

    Parameters
    ----------
    names : sequence of str or None
    known : list
        For each column a value that the transformers accept.
    user, item : int
        Positions of the ids.
    time : int or None
        Position of the time.
    """

    names: Sequence[str] | None
    known: list[Any]
    user: int
    item: int
    time: int | None

    def name(self, position: int) -> str:
        """Return what a column is called: ``user_id`` and ``item_id`` where it has no name."""
        if self.names is None:
            return {self.user: "user_id", self.item: "item_id"}.get(position, str(position))
        return str(self.names[position])

    def ids(self, table: Any, position: int, argument: str) -> Column:
        """Return the ids in a column of a table."""
        if self.names is not None and hasattr(table, "columns"):
            return as_ids(named_column(table, self.name(position), argument), argument)
        rows = as_rows(table, name=argument)
        if position >= rows.n_columns:
            raise ColumnError(
                f"{argument} has {rows.n_columns} column(s), and {self.name(position)!r} was column {position} in fit."
            )
        return as_ids(rows.column(position), argument)

    def times(self, table: Any) -> Column | None:
        """Return the times in a table; None if it has none."""
        rows = as_rows(table)
        at = None if self.time is None else self._positions(rows).get(self.time)
        return None if at is None else rows.times(at)

    def context(self, table: Any, argument: str) -> set[int]:
        """Return the positions of the columns of ``fit`` that a table has besides the ids."""
        return set(self._positions(as_rows(table, name=argument))) - {self.user, self.item}

    def refuse_misspelt(self, table: Any, argument: str, own: Collection[int]) -> None:
        """Raise if a table has none of its own columns, but one whose name is like theirs."""
        rows = as_rows(table, name=argument)
        if self.names is not None and rows.names is not None:
            wanted = [self.name(position) for position in sorted(set(own) - {self.user, self.item})]
            hint = meant(wanted, [name for name in rows.names if name not in self.names])
            if hint:
                raise ColumnError(f"{argument} have no column that fit saw besides the ids. {hint}")

    def completed(self, table: Any, argument: str, free: Collection[int | None]) -> Any:
        """Return a table with the columns of ``fit``; those that are free may be lacking."""
        rows = as_rows(table, name=argument)
        there = self._positions(rows)
        lacking = [position for position in range(len(self.known)) if position not in there]
        needed = [self.name(position) for position in lacking if position not in free]
        if needed:
            expected = () if self.names is None else tuple(self.names)
            hint = meant(needed, [name for name in rows.names or () if name not in expected])
            raise ColumnError(
                f"{argument} lack the column(s) {', '.join(map(repr, needed))}, which fit saw. "
                f"{hint or 'Add them, or pass ids alone, for which the last values seen are taken.'}"
            )
        filled = {position: repeat(self.known[position], len(rows)) for position in lacking}
        if rows.names is None or self.names is None:
            if self.names is None and not filled:
                return table
            columns = [
                filled[position] if position in filled else rows.column(there[position])
                for position in range(len(self.known))
            ]
            return as_table(columns, self.names)
        if filled:
            table = with_columns(table, filled, self.names)
        return table[[*self.names]]

    def _positions(self, rows: Rows) -> dict[int, int]:
        """Map the positions of ``fit`` to those in rows."""
        if rows.names is None or self.names is None:
            return {position: position for position in range(min(rows.n_columns, len(self.known)))}
        return {at: rows.names.index(str(name)) for at, name in enumerate(self.names) if name in rows.names}
