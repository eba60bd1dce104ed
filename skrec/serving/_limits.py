"""How much one request may ask for."""

from dataclasses import dataclass, fields

__all__ = ["Limits"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The most that one request may ask for; more is refused with 413 or 422.

    Parameters
    ----------
    body_bytes : int, default=1_000_000
        Size of the body.
    queries : int, default=1_000
        Users, rows or histories of a request.
    items : int, default=10_000
        Candidates, excluded pairs, or items of a history.
    events : int, default=1_000
        Events of a request.
    k : int, default=1_000
        Items for each query.
    explained : int, default=100
        Pairs that a request to ``/explain`` asks about.
    pending_events : int, default=100_000
        Events of all requests that wait to be stored; further requests are refused with 503.

    Examples
    --------
    >>> from skrec.serving import Limits
    >>> Limits(k=50).k
    50
    """

    body_bytes: int = 1_000_000
    queries: int = 1_000
    items: int = 10_000
    events: int = 1_000
    k: int = 1_000
    explained: int = 100
    pending_events: int = 100_000

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{each.name}={value!r} must be an integer of at least 1.")
