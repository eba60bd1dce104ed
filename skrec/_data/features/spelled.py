"""Detect numbers and dates that are spelled as strings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, timedelta
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrec._data.tables.columns import Column

__all__ = ["Spelling", "spelling_of"]

_MOST = 0.5
_MANY = 2_000
"""Number of distinct values to look at."""

_SIGN = r"[-+\u2212]?"
_CURRENCY = r"(?:[$\u20ac\u00a3\u00a5\u20b9]|USD|EUR|GBP|CHF|JPY|INR)"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_CLOCK = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?[ap]m)?(?: ?(?:Z|UTC|[-+]\d{2}:?\d{2}))?)?"
_DAY, _MONTH_NUMBER, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:1[6-9]|20|21)\d{2}"
_WHOLE = re.compile(rf"{_SIGN}\d+(?:\.0*)?")
_PLAIN = re.compile(rf"{_SIGN}(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{{1,3}})?")
_COMMA = re.compile(rf"{_SIGN}\d+,\d+")
_GROUPED = re.compile(rf"{_SIGN}\d{{1,3}}(?:,\d{{3}})+(?:\.\d*)?")
_DOTTED = re.compile(rf"{_SIGN}\d{{1,3}}(?:\.\d{{3}})+(?:,\d*)?")
_SPACED = re.compile(rf"{_SIGN}\d{{1,3}}(?:[ '\u2019\u00a0\u202f]\d{{3}})+(?:[.,]\d*)?")
_DATES = tuple(
    re.compile(pattern + _CLOCK, re.IGNORECASE)
    for pattern in (
        rf"{_YEAR}([-/.]){_MONTH_NUMBER}\1{_DAY}",
        rf"{_DAY}([-/.]){_MONTH_NUMBER}\1{_YEAR}",
        rf"{_MONTH_NUMBER}([-/.]){_DAY}\1{_YEAR}",
        rf"{_DAY}[- ]?{_MONTH}[-, ]*{_YEAR}",
        rf"{_MONTH} {_DAY},? {_YEAR}",
    )
)
_FORMATS = {"grouped": _GROUPED, "dotted": _DOTTED, "spaced": _SPACED, "comma": _COMMA}
_PARSED = {"whole", "fraction", "sign", "object", *_FORMATS}
_CURES = {
    "whole": "pandas.to_numeric",
    "fraction": "pandas.to_numeric",
    "object": "pandas.to_numeric",
    "comma": "pandas.to_numeric after X[{0}].str.replace(',', '.')",
    "grouped": "pandas.to_numeric after X[{0}].str.replace(',', ''), without the separators of thousands",
    "dotted": "pandas.to_numeric after X[{0}].str.replace('.', '').str.replace(',', '.')",
    "spaced": "pandas.to_numeric after X[{0}].str.replace(r'[^0-9.,+-]', '', regex=True).str.replace(',', '.')",
    "sign": "pandas.to_numeric after X[{0}].str.replace(r'[^0-9.+-]', '', regex=True), without the other signs",
}


class Spelling(NamedTuple):
    """The kind of values that most distinct values of a column spell.

    Parameters
    ----------
    what : {"numbers", "dates"}
    cure : str
        The call that converts the column; ``{0}`` stands for its quoted name.
    example : object
        A value that spells this kind.
    exception : object or None
        A value that does not, or None if all do.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.spelled import spelling_of
    >>> spelling_of(np.array(["?", "1.5", "2.25"], dtype=object))
    Spelling(what='numbers', cure="pandas.to_numeric(..., errors='coerce')", example='1.5', exception='?')
    """

    what: str
    cure: str
    example: Any
    exception: Any


def spelling_of(distinct: Column) -> Spelling | None:
    """Detect whether most distinct values are text that spells numbers or dates, or objects that are numbers.

    Parameters
    ----------
    distinct : ndarray of shape (n,) of objects
        The distinct values of a column, without missing values.

    Returns
    -------
    Spelling or None
        None if they are not, and also if all text spells whole numbers, which may be codes.

    Examples
    --------
    >>> import numpy as np
    >>> from skrec._data.features.spelled import spelling_of
    >>> spelling_of(np.array(["1,234.56", "12.00"], dtype=object)).cure
    "pandas.to_numeric after X[{0}].str.replace(',', ''), without the separators of thousands"
    >>> spelling_of(np.array(["8001", "3011"], dtype=object)) is None
    True
    """
    if not len(distinct):
        return None
    sample = distinct[_spread(len(distinct))]
    classes = np.array([_class_of(value) for value in sample], dtype=object)
    is_date = classes == "date"
    is_number = np.isin(classes, list(_PARSED))
    n_telling = int((is_number & (classes != "whole")).sum())
    if is_date.mean() > _MOST:
        chosen, what, cure = is_date, "dates", "pandas.to_datetime"
        telling: list[str] = []
    elif is_number.mean() > _MOST and n_telling and (is_number.all() or n_telling >= 0.05 * len(sample)):
        chosen, what = is_number, "numbers"
        telling = [found for found in ("sign", *_FORMATS) if (classes == found).any()]
        cure = _CURES[telling[0] if telling else "fraction"]
    else:
        return None
    shown = classes == telling[0] if telling else chosen  # for numbers, one that needs the cure
    exception = _first_other(distinct, what)
    if exception is not None:
        call, after, first = cure.partition(" after")
        cure = f"{call}(..., errors='coerce'){after}{first}"
    return Spelling(what, cure, sample[int(np.argmax(shown))], exception)


def _spread(n: int) -> NDArray[np.intp]:
    """Return at most `_MANY` positions, spread from the first to the last."""
    return np.unique(np.linspace(0, n - 1, min(n, _MANY)).astype(np.intp))


def _first_other(distinct: Iterable[Any], what: str) -> Any:
    found = {"date"} if what == "dates" else _PARSED
    return next((value for value in distinct if _class_of(value) not in found), None)


def _class_of(value: Any) -> str:  # noqa: PLR0911
    """Return the kind of a value: a kind of number, a date, or something else."""
    if not isinstance(value, str):
        if isinstance(value, (date, timedelta)):
            return "date"
        if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)) or not math.isfinite(value):
            return "other"
        return "object" if value != math.floor(value) else "whole"
    text = value.strip()
    if not text or not any(character.isdigit() for character in text):
        return "other"
    if _WHOLE.fullmatch(text):
        return "whole"
    if _PLAIN.fullmatch(text):
        return "fraction"
    if any(pattern.fullmatch(text) for pattern in _DATES):
        return "date"
    for name, pattern in _FORMATS.items():
        if pattern.fullmatch(text):
            return name
    bare = re.sub(rf"^{_SIGN}\s*{_CURRENCY}\s*|\s*(?:{_CURRENCY}|%)$|^\(|\)$", "", text)
    is_bare = bare != text and any(pattern.fullmatch(bare) for pattern in (_PLAIN, *_FORMATS.values()))
    return "sign" if is_bare else "other"
