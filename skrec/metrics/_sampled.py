"""Ranking among a few candidates, drawn or given, as in older papers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data import ABSENT, as_rows
from skrec._data.ids.values import of_another_kind, warn_other_kind
from skrec._data.tables.columns import as_column
from skrec._recommend import CandidateLists, Unwrapped, read_candidates
from skrec._recommend._frames import as_table
from skrec._recommend._protocol import roles_of
from skrec._warnings import warn
from skrec.metrics._held_out import HeldOut, positions_of
from skrec.metrics._protocols import Outcome, users_at_once
from skrec.metrics._ranks import metrics_from_ranks, ratio
from skrec.metrics._row_ids import Array

Entries = tuple[NDArray[np.int64], NDArray[np.int64]]

_FEW_USERS = 64  # number of users whose candidates are scored together if the catalogue is much larger
_MUCH_LARGER = 4


def rank_candidates(
    names: Sequence[str],
    unwrapped: Unwrapped,
    X: Any,
    y: Any,
    *,
    n_candidates: int,
    candidates: Any,
    rng: np.random.Generator,
) -> Outcome:
    """Rank each relevant pair among a few other items (``protocol="sampled"``).

    The value of a user is the mean over the user's pairs.
    """
    model, held_out = unwrapped.model, HeldOut.read(unwrapped, X, y)
    lists: _Drawn | _Frozen
    if candidates is None:
        lists = _Drawn(model, held_out, n_candidates, rng)
    else:
        lists = _Frozen.of(unwrapped, X, held_out, candidates)
    n_items, of_ranks = len(model.items_), [name for name in names if name != "auc"]
    whole = n_items <= _MUCH_LARGER * _FEW_USERS * (1 + lists.mean_length)
    parts = []
    for users, pairs in held_out.chunks(users_at_once(n_items) if whole else _FEW_USERS):
        relevant = pairs.start + np.flatnonzero(held_out.relevant[pairs])
        entries = lists.entries(users, relevant)
        ranks, auc = _among(model, held_out, users, relevant, entries, whole=whole)
        length = 1 + np.bincount(entries[0], minlength=len(relevant))
        found = held_out.item[relevant] >= 0
        indptr = np.append(0, np.cumsum(found))
        part = metrics_from_ranks(
            of_ranks, indptr, ranks[found], np.ones(len(relevant), dtype=np.int64), n_items=length
        )
        parts.append({**part, "auc": np.where(found, auc, 0 * auc)})  # 0 for an unknown item, unless there are no pairs
    owner = held_out.user[held_out.relevant]
    values = {name: _mean_by(owner, np.concatenate([part[name] for part in parts])) for name in names}
    return Outcome(held_out.users, values, held_out.cold_user_share, held_out.cold_item_share)


def _mean_by(owner: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean value of each owner, ignoring NaN; NaN if an owner has no other values."""
    told = ~np.isnan(values)
    return ratio(np.bincount(owner, weights=np.where(told, values, 0)), np.bincount(owner, weights=told))


def _among(
    model: Any, held_out: HeldOut, users: slice, pairs: NDArray[np.int64], entries: Entries, *, whole: bool
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the rank and the AUC of each pair's item among its candidates; undefined for unknown items."""
    pair, other = entries
    row, item = held_out.user[pairs] - users.start, np.maximum(held_out.item[pairs], 0)
    queries = held_out.asked(users)
    if whole:
        scores = model.score_items(queries)
    else:
        needed = np.unique(np.append(item, other))
        scores = model.score_items(queries, candidates=model.items_[needed])
        item, other = np.searchsorted(needed, item), np.searchsorted(needed, other)
    own, others = scores[row, item], scores[row[pair], other]
    if np.isnan(own).any() or np.isnan(others).any():
        raise ValueError(f"score_items of {type(model).__name__} returned NaN: only numbers can be ranked.")
    n = np.bincount(pair, minlength=len(pairs))
    not_below = np.bincount(pair[others >= own[pair]], minlength=len(pairs))
    not_above = np.bincount(pair[others <= own[pair]], minlength=len(pairs))
    return 1 + not_below, ratio((n - not_below + not_above) / 2, n)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Candidates of each pair, drawn uniformly from the items that the user neither chose in training nor held out."""

    model: Any
    held_out: HeldOut
    mean_length: int
    rng: np.random.Generator

    def entries(self, users: slice, pairs: NDArray[np.int64]) -> Entries:
        """Return, for each candidate, the index of its pair in `pairs` and its position in the catalogue."""
        n_items = len(self.model.items_)
        bounds = np.searchsorted(self.held_out.user, np.arange(users.start, users.stop + 1))
        seen = self.held_out.left_out(self.model, users, slice(bounds[0], bounds[-1]))
        lists = []
        for user in self.held_out.user[pairs] - users.start:
            held_out = self.held_out.item[bounds[user] : bounds[user + 1]]
            barred = np.union1d(seen.indices[seen.indptr[user] : seen.indptr[user + 1]], held_out[held_out >= 0])
            n_free = n_items - len(barred)
            free = self.rng.choice(n_free, min(self.mean_length, n_free), replace=False, shuffle=False)
            # The position of the i-th item that is not barred is i plus the number of barred items before it.
            lists.append(free + np.searchsorted(barred - np.arange(len(barred)), free, side="right"))
        lengths = [len(one) for one in lists]
        return np.repeat(np.arange(len(lists)), lengths), np.concatenate(lists).astype(np.int64)


@dataclass(frozen=True, eq=False)
class _Frozen:
    """Candidates given for all pairs of a user: those of user u are ``items[indptr[u]:indptr[u + 1]]``."""

    held_out: HeldOut
    indptr: NDArray[np.int64]
    items: NDArray[np.int64]

    @classmethod
    def of(cls, unwrapped: Unwrapped, X: Any, held_out: HeldOut, candidates: Any) -> "_Frozen":
        """Look up the lists of the users, without items that are not in the catalogue: these can never rank first."""
        rows, at = as_rows(X), held_out.item_position
        item_name = roles_of(unwrapped.model).item_name if at == ABSENT or rows.names is None else rows.names[at]
        names = str(held_out.users.name or "user_id"), item_name
        users = as_column(held_out.users)
        lists = read_candidates(candidates, users, catalogue=None, names=names, of_scorer=True)
        if not isinstance(lists, CandidateLists):
            raise TypeError(
                "candidates of a scorer are a list for each user: a dict {user: [item, ...]} with the ids of X, or a "
                f"DataFrame with the columns {names[0]!r} and {names[1]!r}."
            )
        owner, (ids, distinct) = lists.query, pd.factorize(lists.ids)
        n_items = len(unwrapped.model.items_)
        items = _known_positions(unwrapped, X, held_out, distinct)[ids]
        keys = np.unique((owner * n_items + items)[items >= 0])
        indptr = np.searchsorted(keys, np.arange(len(users) + 1) * n_items)
        return cls(held_out, indptr, keys % max(1, n_items))

    @property
    def mean_length(self) -> int:
        """Mean number of candidates of a user."""
        return len(self.items) // max(1, len(self.held_out.users))

    def entries(self, users: slice, pairs: NDArray[np.int64]) -> Entries:
        """Return, for each candidate, the index of its pair in `pairs` and its position in the catalogue."""
        del users
        user = self.held_out.user[pairs]
        lengths = np.diff(self.indptr)[user]
        pair = np.repeat(np.arange(len(pairs)), lengths)
        within = np.arange(len(pair)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        other = self.items[self.indptr[user][pair] + within]
        kept = other != self.held_out.item[pairs][pair]
        return pair[kept], other[kept]


def _known_positions(unwrapped: Unwrapped, X: Any, held_out: HeldOut, ids: Array) -> NDArray[np.int64]:
    """Return the positions of raw item ids in the catalogue, -1 for unknown ones; warn if all of them are unknown."""
    model, encoded = unwrapped.model, bool(unwrapped.transformers) and held_out.item_position != ABSENT
    known = as_rows(X).column(held_out.item_position) if encoded else as_column(model.items_)
    if of_another_kind(ids, known):  # an encoder may fail for ids of another kind
        warn_other_kind(
            ids,
            known,
            roles_of(model).item_name,
            what="candidates",
            of="X" if encoded else "fit",
            so="all of them are unknown, and each held-out item is ranked alone",
        )
        return np.full(len(ids), -1, dtype=np.int64)
    positions = positions_of(_encoded(unwrapped, X, ids, held_out.item_position), model.items_, "item_id")
    positions[np.isin(positions, held_out.barred)] = -1
    if len(ids) and (positions < 0).all():
        warn(
            f"None of the {len(ids)} candidates, such as {ids[:1].tolist()[0]!r}, is an item of fit: each held-out "
            "item is ranked alone. Pass lists of the items that the model was fitted on."
        )
    return positions


def _encoded(unwrapped: Unwrapped, X: Any, items: Array, position: int) -> Array:
    """Return raw item ids as the model knows them: transformed as the item column of copies of the first row of `X`."""
    if not unwrapped.transformers or position == ABSENT or not len(items):
        return items
    rows = as_rows(X)
    columns = [np.repeat(rows.column(column)[:1], len(items)) for column in range(rows.n_columns)]
    columns[position] = items
    return as_column(unwrapped.model.role_ids(unwrapped.transform(as_table(columns, rows.names)))[1])
