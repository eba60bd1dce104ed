"""What requests to a model may contain: its own columns and types, in bounded numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError, create_model

from skrec.serving._columns import Columns, IdKind
from skrec.serving._limits import Limits

__all__ = ["Requests", "requests_of", "sentence"]

_LONGEST = 1_000  # characters of an id
_Integer = Annotated[int, Field(strict=True, ge=-(2**63), le=2**63 - 1)]
_Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Text = Annotated[str, Field(strict=True, max_length=_LONGEST)]
_IDS: dict[IdKind, Any] = {"integer": _Integer, "number": _Number, "text": _Text, "any": _Integer | _Number | _Text}
_Scalar = _Integer | _Number | StrictBool | Annotated[str, Field(strict=True, max_length=100_000)]
_KINDS: dict[str, Any] = {
    "numeric": _Number | StrictBool | None,
    "time": _Integer | _Number | _Text,
    "categorical": _Scalar | None,
    "multivalued": list[_Scalar] | _Text | None,
    "array": list[_Number] | None,
}
_ANYTHING = _Scalar | list[_Scalar] | None
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Requests:
    """The models of pydantic for the bodies of requests.

    Parameters
    ----------
    recommend, predict, similar, explain, events : type
        Subclasses of ``pydantic.BaseModel``.
    most_explained : int
        For how many items a request to ``/recommend`` may ask why they are there.
    """

    recommend: type[BaseModel]
    predict: type[BaseModel]
    similar: type[BaseModel]
    explain: type[BaseModel]
    events: type[BaseModel]
    most_explained: int

    @property
    def by_path(self) -> dict[str, type[BaseModel]]:
        """Return the models by the path of the request."""
        names = ("recommend", "predict", "similar", "explain", "events")
        return {f"/{name}": getattr(self, name) for name in names}


def requests_of(columns: Columns, limits: Limits, models: tuple[str, ...] = ("main",)) -> Requests:
    """Make the models of pydantic for the requests to a fitted model.

    Parameters
    ----------
    columns : Columns
    limits : Limits
    models : tuple of str
        Names by which a request may choose among the served models.
    """
    user, item = _IDS[columns.user_ids], _IDS[columns.item_ids]
    fields = {column.name: _type_of(column.role, column.kind, user, item) for column in columns.all}
    optional = {name: (annotation | None, None) for name, annotation in fields.items()}
    required = {name: (annotation, ...) for name, annotation in fields.items()}

    def make(name: str, **parts: Any) -> type[BaseModel]:
        parts["model"] = (Annotated[str, Field(pattern=f"^({'|'.join(models)})$")], "main")
        return create_model(name, __config__=_STRICT, **parts)

    names = [name for name in fields if name not in {columns.user, columns.item}]
    ids = {columns.user: (user, ...), columns.item: (item, ...)} if columns.recommends else {}
    times = {columns.time: (fields[columns.time], ...)} if columns.time in fields else {}
    if not columns.direct and hasattr(columns.model, "append_history"):  # transformers read whole rows
        times = {name: required[name] for name in names}
    others = {name: optional[name] for name in names if name not in times}
    asked = {columns.user: (user, ...), **{name: optional[name] for name in names}} if columns.recommends else {}
    items = _list(item, limits.items)
    k = (Annotated[int, Field(strict=True, ge=1, le=limits.k)], 10)
    return Requests(
        recommend=make(
            "Recommend",
            users=(_list(user, limits.queries) | None, None),
            rows=(_list(_row("Query", asked), limits.queries) | None, None),
            history=(_list(items, limits.queries) | None, None),
            k=k,
            candidates=(_list(item, limits.items, 1) | None, None),
            exclude=(_list(_pair(user, item), limits.items) | None, None),
            exclude_seen=(StrictBool, True),
            why=(StrictBool, False),
        ),
        predict=make("Predict", rows=(_list(_row("Row", required), limits.queries, 1), ...)),
        similar=make("Similar", items=(_list(item, limits.queries, 1), ...), k=k),
        explain=make(
            "Explain",
            users=(_list(user, limits.explained) | None, None),
            history=(_list(items, limits.explained) | None, None),
            items=(_list(item, limits.explained, 1), ...),
        ),
        events=make("Events", events=(_list(_row("Event", {**ids, **times, **others}), limits.events, 1), ...)),
        most_explained=limits.explained,
    )


def _list(each: Any, most: int, least: int = 0) -> Any:
    return Annotated[list[each], Field(min_length=least, max_length=most)]


def _pair(left: Any, right: Any) -> Any:
    return tuple[left, right]


def _row(name: str, parts: Mapping[str, tuple[Any, Any]]) -> type[BaseModel]:
    """Make the model of a row. Columns may have any name: fields are numbered and have the column as their alias."""
    numbered: dict[str, Any] = {
        f"c{at}": (annotation, Field(default, alias=column))
        for at, (column, (annotation, default)) in enumerate(parts.items())
    }
    return create_model(name, __config__=_STRICT, **numbered)


def _type_of(role: str, kind: str, user: Any, item: Any) -> Any:
    if role in {"user", "item"}:
        return user if role == "user" else item
    return _KINDS.get(kind, _ANYTHING)


def sentence(error: ValidationError, columns: Columns) -> str:
    """Say in one sentence what the first mistake of a request is.

    Examples
    --------
    A misspelled column: ``events[0] has the unknown column 'user'. Did you mean 'user_id'?``
    """
    errors = error.errors(include_url=False, include_context=False, include_input=False)
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])  # a typo, if there is one
    place = [part for part in first["loc"] if not _is_type(part)]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    if first["type"] == "json_invalid":
        return f"The body is not valid JSON. {first['msg']}."
    if first["type"] == "extra_forbidden" and len(place) > 1:
        *parents, name = place
        where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parents).lstrip(".")
        if name in columns.names:
            return f"{where} has the column {name!r}, which is not part of this request."
        return f"{where} has the unknown column {name!r}.{_meant(str(name), columns.names)}"
    if first["type"] == "extra_forbidden":
        return f"The request has the unknown field {where!r}."
    if first["type"] == "missing":
        return f"{where} is missing."
    more = error.error_count() - 1
    return f"{where or 'The body'}: {first['msg']}." + (f" There are {more} more such errors." if more else "")


def _is_type(part: Any) -> bool:
    """Whether a part of pydantic's location is the name of a type in a union rather than a place."""
    return isinstance(part, str) and (part in {"int", "float", "str", "bool", "none"} or "[" in part)


def _meant(name: str, names: list[str]) -> str:
    from difflib import get_close_matches

    plain = {"".join(filter(str.isalnum, label)).lower(): label for label in names}
    found = get_close_matches("".join(filter(str.isalnum, name)).lower(), plain, n=1)
    known = ", ".join(names[:20])
    return f" Did you mean {plain[found[0]]!r}?" if found else f" The columns are {known}."
