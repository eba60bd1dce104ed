"""A fitted model as a service uses it: plain functions from lists and dicts to lists and dicts."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from skrec.serving._columns import Columns, columns_of

__all__ = ["NotOfferedError", "Served"]

_WHY = 3  # past items that explain a recommendation


class NotOfferedError(Exception):
    """The model does not have what a request asks for."""


class Served:
    """A fitted model, and the events that came after it was fitted.

    Parameters
    ----------
    estimator : estimator
        A fitted model, or a Pipeline or search that ends in one.
    titles : mapping, default=None
        Titles by ``str(item)``.
    """

    def __init__(self, estimator: Any, *, titles: Mapping[str, str] | None = None) -> None:
        self.estimator = estimator
        self.titles = titles or {}
        self.columns: Columns = columns_of(estimator)
        self.kind = type(estimator).__name__
        self._direct = self.columns.direct
        if self.columns.recommends and not self._direct:
            from skrec.serving._pipeline import ServedPipeline

            self.estimator = estimator if isinstance(estimator, ServedPipeline) else ServedPipeline(estimator)
        self.stores_histories = self.columns.recommends and hasattr(self.columns.model, "append_history")
        self.reads_histories = bool(getattr(self.columns.model, "reads_histories", self.stores_histories))
        self.events: dict[Any, tuple[Any, ...]] = {}  # items by user, oldest first; values are replaced, never changed
        self._known_items: frozenset[Any] | None = None

    # -- what the model offers ----------------------------------------------------------------------------------------

    def offers(self, what: str) -> bool:
        """Whether the model has ``recommend``, ``predict``, ``similar_items`` or ``explain``."""
        if what == "recommend":
            return self.columns.recommends
        if what == "predict":
            return hasattr(self.estimator, "predict")
        if what == "similar_items" and self._cannot_compare:
            return False
        return (
            (self._direct or what == "similar_items") and self.columns.recommends and hasattr(self.columns.model, what)
        )

    @cached_property
    def _cannot_compare(self) -> str:
        """Why ``similar_items`` does not work, although the model has it; empty if it does."""
        if self.columns.recommends and hasattr(self.estimator, "similar_items"):
            try:
                self.estimator.similar_items(self.columns.items()[:1], k=1)
            except AttributeError as error:
                return str(error)
        return ""

    def require(self, what: str) -> None:
        """Raise an error that says why the model does not have a method.

        Raises
        ------
        NotOfferedError
            In the words of the model, if it has some.
        """
        if self.offers(what):
            return
        reason = self._cannot_compare if what == "similar_items" else ""
        if self._direct and self.columns.recommends:
            try:
                getattr(self.estimator, what)
            except AttributeError as error:
                reason = str(error)
        elif what == "recommend" and hasattr(self.estimator, "users_") is False:
            reason = (
                f"This {self.kind} does not recommend: it was fitted without users and items, or is not a recommender."
            )
        raise NotOfferedError(reason or f"{self.kind} has no {what}.")

    # -- requests -----------------------------------------------------------------------------------------------------

    def recommend(
        self,
        users: Sequence[Any] | None = None,
        *,
        rows: Sequence[Mapping[str, Any]] | None = None,
        history: Sequence[Sequence[Any]] | None = None,
        k: int = 10,
        candidates: Sequence[Any] | None = None,
        exclude: Sequence[tuple[Any, Any]] | None = None,
        exclude_seen: bool = True,
        why: bool = False,
    ) -> list[dict[str, Any]]:
        """Return the best items of each query, best first, with scores.

        Parameters
        ----------
        users : list of ids, default=None
            Known or new users.
        rows : list of dict, default=None
            Rows with the user and the features of queries, instead of `users`.
        history : list of lists of items, default=None
            Histories to use instead of the stored ones, one per query; also without users.
        k, candidates, exclude, exclude_seen
            As in ``recommend`` of the model.
        why : bool, default=False
            Whether to add the reason for each item.

        Returns
        -------
        list of dict
            For each query ``{"user": id, "items": [{"item": ..., "score": ..., "rank": ...}, ...]}``.
        """
        self.require("recommend")
        options: dict[str, Any] = {"k": k, "candidates": candidates, "exclude_seen": exclude_seen}
        if rows is not None:
            queries: Any = self.columns.frame(rows, partial=True)
            users = [row[self.columns.user] for row in rows]
            ranked = self._rank(queries, users, exclude=exclude, history=history, **options)
        elif history is not None:
            if users is not None and len(users) != len(history):
                raise ValueError(f"There are {len(users)} users but {len(history)} histories: pass one per user.")
            ranked = self._rank(users, users, exclude=exclude, history=history, **options)
        elif users is None:
            raise ValueError("Pass users, rows or history: for whom to recommend.")
        else:
            ranked = self._rank_users(users, exclude=exclude, **options)
        asked = [None] * len(ranked) if users is None else list(users)
        found = [{"user": user, "items": self._listed(items)} for user, items in zip(asked, ranked, strict=True)]
        if why:
            for at, each in enumerate(found):
                self._add_reasons(each, None if history is None else history[at])
        return found

    def predict(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Predict a value or class for each row, with probabilities where the model is a classifier."""
        self.require("predict")
        frame = self.columns.frame(rows)
        answer: dict[str, Any] = {"predictions": _plain(self.estimator.predict(frame))}
        if hasattr(self.estimator, "predict_proba"):
            answer["classes"] = _plain(self.estimator.classes_)
            answer["probabilities"] = _plain(self.estimator.predict_proba(frame))
        return answer

    def similar(self, items: Sequence[Any], k: int = 10) -> list[dict[str, Any]]:
        """Return the items that are most similar to each item, best first."""
        self.require("similar_items")
        frame = self.estimator.similar_items(list(items), k=k)
        position = {item: at for at, item in enumerate(dict.fromkeys(items))}
        found: list[dict[str, Any]] = [{"item": item, "similar": []} for item in position]
        columns = (frame[self.columns.item], frame["similar_item"], frame["score"], frame["rank"])
        for item, other, score, rank in zip(*map(_plain, columns), strict=True):
            found[position[item]]["similar"].append(self._titled({"item": other, "score": score, "rank": rank}))
        return [dict(found[position[item]]) for item in items]

    def explain(
        self,
        users: Sequence[Any] | None = None,
        items: Sequence[Any] | None = None,
        *,
        history: Sequence[Sequence[Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the contribution of each past item to the score of an item, for pairs of a user and an item."""
        self.require("explain")
        given = history is None and users is not None and not self.stores_histories and self.reads_histories
        if given and any(user in self.events for user in users or ()):
            history = [self.past(user) for user in users or ()]
        frame = self.estimator.explain(None if users is None else list(users), list(items or ()), history=history)
        size = len(users if users is not None else history or ())
        pairs: list[dict[str, Any]] = [{"past": []} for _ in range(size)]
        ages = _plain(frame["age"]) if "age" in frame else [None] * len(frame)
        columns = (frame["query"], frame["past_item"], frame["contribution"])
        for at, past, contribution, age in zip(*map(_plain, columns), ages, strict=True):
            entry = {"item": past, "contribution": contribution} | ({} if age is None else {"age": age})
            pairs[at]["past"].append(self._titled(entry))
        about = list(items or ())
        return [{"item": item, **pair} for item, pair in zip(about, pairs, strict=True)]

    def past(self, user: Any) -> list[Any]:
        """Return the items of a user: first those of ``fit``, then those of the events that came later."""
        later = self.events.get(user, ())
        seen: list[Any] = []
        if self.columns.recommends and hasattr(self.estimator, "seen_items"):
            marked = self.estimator.seen_items([user])
            at = marked.indices if hasattr(marked, "indices") else marked[0].nonzero()[0]
            seen = _plain(self.estimator.items_[at])
        newer = set(later)
        return [item for item in seen if item not in newer] + list(dict.fromkeys(reversed(later)))[::-1]

    def user_from(self, text: str) -> Any:
        """Return the id of a user that was written as text."""
        kind = self.columns.user_ids
        try:
            if kind in {"integer", "number"}:
                return int(text) if kind == "integer" else float(text)
            if kind == "any" and text.lstrip("-").isdigit():
                return int(text)
        except ValueError as error:
            raise ValueError(f"{text!r} is not a user: the ids of users are {kind}s.") from error
        return text

    def history(self, user: Any, limit: int = 200) -> dict[str, Any]:
        """Return the items of a user with their titles; the latest first, if the model knows their order."""
        self.require("recommend")
        past = self.past(user)
        n_later = len(set(self.events.get(user, ())))
        ordered = n_later == len(past)
        if past and self.stores_histories and self._direct and self.offers("explain"):
            frame = self.estimator.explain([user], list(self.estimator.items_[:1]))
            if "age" in frame:
                latest = frame.sort_values("age")["past_item"]
                rank = {item: at for at, item in enumerate(dict.fromkeys(_plain(latest)))}
                past.sort(key=lambda item: -rank.get(item, len(rank)))
                ordered = rank.keys() >= set(past)  # the model reads the latest events only
        items = [self._titled({"item": item}) for item in reversed(past[-limit:])]
        return {"user": user, "items": items, "count": len(past), "ordered": ordered}

    def append(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take events into the histories of the users; either all of them or, with an error, none."""
        self.require("recommend")
        user, item = self.columns.user, self.columns.item
        if self.stores_histories:
            with_same_columns: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
            for row in rows:
                with_same_columns.setdefault(tuple(row), []).append(row)
            if len(with_same_columns) > 1:
                shared = set.intersection(*(set(names) for names in with_same_columns))
                rows = [{name: row[name] for name in row if name in shared} for row in rows]
            self.estimator.append_history(self.columns.frame(rows, partial=self._direct))
        added: dict[Any, list[Any]] = {}
        for row in rows:
            added.setdefault(row[user], []).append(row[item])
        for owner, items in added.items():
            self.events[owner] = (*self.events.get(owner, ()), *items)

    def warm_up(self) -> None:
        """Answer one request, so that the first user need not wait, and a model that cannot answer is never served."""
        if self.columns.recommends and self._direct and len(self.estimator.users_):
            self.recommend(_plain(self.estimator.users_[:1]), k=1)

    def about(self) -> dict[str, Any]:
        """Describe the model: its class, columns and what it offers."""
        offered = ("recommend", "predict", "similar_items", "explain")
        described: dict[str, Any] = {
            "class": self.kind,
            "offers": [what for what in offered if self.offers(what)],
            "columns": [{"name": each.name, "role": each.role, "kind": each.kind} for each in self.columns.all],
            "stores_histories": self.stores_histories,
            "reads_histories": self.reads_histories,
        }
        if self.columns.recommends:
            described |= {"users": len(self.estimator.users_), "items": len(self.estimator.items_)}
            described["some_users"] = _plain(self.estimator.users_[:100])
        return described

    # -- ranking ------------------------------------------------------------------------------------------------------

    def _rank_users(self, users: Sequence[Any], exclude: Any, **options: Any) -> list[list[tuple[Any, float]]]:
        """Rank for users, of whom some may have events that the model does not store."""
        later = [] if self.stores_histories else [at for at, user in enumerate(users) if user in self.events]
        if not later:
            return self._rank(list(users), users, exclude=exclude, history=None, **options)
        ranked: list[list[tuple[Any, float]]] = [[] for _ in users]
        chosen = set(later)
        parts = [at for at in range(len(users)) if at not in chosen], later
        for part, has_events in zip(parts, (False, True), strict=True):
            if not part:
                continue
            some = [users[at] for at in part]
            history = [self.past(user) for user in some] if has_events and self.reads_histories else None
            pairs = list(exclude or ())
            if has_events and options["exclude_seen"]:
                known = self._items()
                pairs += [(user, item) for user in dict.fromkeys(some) for item in self.events[user] if item in known]
            for at, items in zip(
                part, self._rank(some, some, exclude=pairs or None, history=history, **options), strict=True
            ):
                ranked[at] = items
        return ranked

    def _rank(
        self, queries: Any, users: Sequence[Any] | None, *, k: int, exclude: Any, history: Any, **options: Any
    ) -> list[list[tuple[Any, float]]]:
        n_queries = len(history if users is None else users)
        if not n_queries:
            return []
        if history is not None:
            options["history"] = [list(items) for items in history]
        if exclude is not None:
            present = None if users is None else set(users)
            pairs = [tuple(pair) for pair in exclude if present is None or pair[0] in present]
            options["exclude"] = pairs or None
        items, scores = self.estimator.recommend(queries, k, as_frame=False, **options)
        return [
            [(item, score) for item, score in zip(*row, strict=True) if score > -math.inf]
            for row in zip(_plain(items), _plain(scores), strict=True)
        ]

    def _items(self) -> frozenset[Any]:
        if self._known_items is None:
            self._known_items = frozenset(self.columns.items())
        return self._known_items

    # -- titles and reasons -------------------------------------------------------------------------------------------

    def _titled(self, entry: dict[str, Any]) -> dict[str, Any]:
        title = self.titles.get(str(entry["item"]))
        return entry if title is None else {**entry, "title": title}

    def _listed(self, items: Iterable[tuple[Any, float]]) -> list[dict[str, Any]]:
        return [
            self._titled({"item": item, "score": score, "rank": rank}) for rank, (item, score) in enumerate(items, 1)
        ]

    def _add_reasons(self, found: dict[str, Any], history: Sequence[Any] | None) -> None:
        """Add ``why`` to each item: past items that raise its score, past items that are like it, or popularity."""
        recommended = found["items"]
        past = list(history) if history is not None else self.past(found["user"])
        reasons: list[tuple[str, list[Any]]] = [("popular", [])] * len(recommended)
        if recommended and past:
            if self.offers("explain"):
                reasons = self._explained(found["user"], history, [each["item"] for each in recommended])
            elif self.offers("similar_items"):
                reasons = self._alike(past, [each["item"] for each in recommended])
        for each, (kind, items) in zip(recommended, reasons, strict=True):
            each["why"] = {"kind": kind, "items": [self._titled({"item": item}) for item in items]}

    def _explained(self, user: Any, history: Any, items: list[Any]) -> list[tuple[str, list[Any]]]:
        n = len(items)
        pairs = self.explain([user] * n, items) if history is None else self.explain(None, items, history=[history] * n)
        raising = [
            [each["item"] for each in pair["past"] if each["contribution"] > 0 and each["item"] is not None][:_WHY]
            for pair in pairs
        ]
        return [("history", found) if found else ("popular", []) for found in raising]

    def _alike(self, past: list[Any], items: list[Any]) -> list[tuple[str, list[Any]]]:
        known = self._items()
        among = [item for item in items if item in known]
        own = set(past)
        like: dict[Any, list[Any]] = {}
        if among:
            for found in self.similar(among, k=min(100, len(known) - 1) or 1):
                like[found["item"]] = [each["item"] for each in found["similar"] if each["item"] in own][:_WHY]
        return [("similar", like[item]) if like.get(item) else ("popular", []) for item in items]


def _plain(values: Any) -> list[Any]:
    """Return Python objects that JSON can hold, from an array, a column or a list."""
    listed = values.tolist() if hasattr(values, "tolist") else list(values)
    return [_plain_value(value) for value in listed]


def _plain_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain_value(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) or value == -math.inf else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
