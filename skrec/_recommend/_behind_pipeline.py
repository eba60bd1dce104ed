"""skrec models behind transformers: raw ids are encoded, ranked and decoded.

The columns of the user and the item are followed from the model back to the raw rows. A raw id is encoded in a row
whose other columns hold known values; the catalogue is decoded by ``inverse_transform``. Of a ``ColumnTransformer``,
which has none, the parts that hold the user and the item are used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skrec._data.ids.value_kinds import kinds_of, of_another_kind, warn_other_kind
from skrec._data.ids.values import join_ids
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import Column, as_column
from skrec._estimators import check_is_fitted
from skrec._recommend._candidates import CandidateLists, read_candidates, shared_rows
from skrec._recommend._exclusions import Exclusions
from skrec._recommend._frames import as_ids, columns_of, is_table, unknown_error, with_columns
from skrec._recommend._given_histories import are_events, as_sessions, sessions_by_user
from skrec._recommend._id_path import IdPath, id_path
from skrec._recommend._inverse_steps import CURE, sources
from skrec._recommend._lists_by_user import by_index
from skrec._recommend._protocol import FittedRecommender, StoresHistories, feature_positions
from skrec._recommend._result import Ranking
from skrec._recommend._unwrap import Unwrapped, flat
from skrec._transaction import ReadsOneState, snapshot
from skrec._warnings import warn
from skrec.exceptions import UnknownIdError


@dataclass(frozen=True)
class Choice:
    """The items to choose from.

    Parameters
    ----------
    encoded : object
        What the model is given as ``candidates=``.
    n : int
        How many they are.
    raw, codes : ndarray of shape (n_items,)
        The raw ids of all items that the model may return, and what it calls them.
    """

    encoded: Any
    n: int
    raw: Column
    codes: Column


class EncodedSpace:
    """The ids of a fitted model behind transformers, and the way from the raw ids to them and back.

    Parameters
    ----------
    unwrapped : Unwrapped
        At least one transformer, and a skrec model.
    """

    def __init__(self, unwrapped: Unwrapped) -> None:
        check_is_fitted(unwrapped.model)
        self.unwrapped = unwrapped
        model = unwrapped.model  # a request works on one state of it from beginning to end
        one_state: Any = snapshot(model) if isinstance(model, ReadsOneState) else model
        self.model: FittedRecommender = one_state
        self.path: IdPath = id_path(unwrapped, self.model)
        path = self.path
        self.user, self.item, self.stages, self.raw = path.user, path.item, path.stages, path.raw
        self.items, self.catalogue = path.items, path.catalogue
        self.user_name, self.item_name = self.raw.name(self.raw.user), self.raw.name(self.raw.item)

    @property
    def known_users(self) -> Column:
        """One raw user id, which shows the kind of the ids."""
        return self.path.known_columns[self.raw.user]

    def rank(self, queries: Any, k: int, candidates: Any, *, exclude_seen: bool, history: Any = None) -> Ranking:
        """Rank for raw queries, or by raw histories, among raw candidates."""
        users, encoded, sessions = self._encode_asked(queries, history)
        choice = self._choose_from(candidates, users)
        k = min(k, choice.n)
        if not (k and len(users)):
            shape = (len(users), 0)
            return Ranking(users, choice.raw, np.empty(shape, dtype=np.int64), np.empty(shape, dtype=np.float32))
        try:
            if sessions is None:
                items, scores = self._recommend(encoded, k, choice.encoded, exclude_seen=exclude_seen)
            else:
                options = {"candidates": choice.encoded, "exclude_seen": exclude_seen, "as_frame": False}
                items, scores = self.model.recommend(encoded, k, history=sessions, **options)
        except UnknownIdError as error:
            codes = columns_of(encoded)[self.user] if is_table(encoded) else encoded
            unknown = Vocabulary(self.model.users_).encode(codes) == 0
            raise unknown_error("users", users[unknown], "queries") from error
        there = scores > -np.inf
        positions = np.full(items.shape, -1, dtype=np.int64)
        is_catalogue = choice.codes is self.items
        positions[there] = self.path.positions(items[there]) if is_catalogue else _positions(choice.codes, items[there])
        self._check_round_trip(np.unique(positions[there]))
        return Ranking(users, choice.raw, positions, scores)

    def _recommend(self, encoded: Any, k: int, candidates: Any, *, exclude_seen: bool) -> tuple[Any, Any]:
        """Rank encoded queries. Users that an encoder merges share one log, so that nothing is excluded for them."""
        from skrec._sklearn_compat import safe_indexing

        by_query = isinstance(candidates, list)
        options = {"candidates": candidates, "as_frame": False}
        merged = np.zeros(1, dtype=np.bool_)
        if exclude_seen and self.path.merges_users:
            codes = np.asarray(columns_of(encoded)[self.user] if is_table(encoded) else encoded)
            merged = pd.isna(self.path.decode_ids(codes, self.user, self.raw.user))
        if not merged.any():
            ranked: tuple[Any, Any] = self.model.recommend(encoded, k, exclude_seen=exclude_seen, **options)
            return ranked
        parts = np.flatnonzero(~merged), np.flatnonzero(merged)
        found: list[Any] = []
        for rows, leave_out in zip(parts, (True, False), strict=True):
            part = safe_indexing(encoded, rows) if len(rows) else None
            options["candidates"] = [candidates[row] for row in rows] if by_query else candidates
            if by_query and not sum(map(len, options["candidates"])):
                nothing = np.full((len(rows), 1), -np.inf, np.float32)
                found.append((np.full(nothing.shape, None), nothing))
            elif len(rows):
                found.append(self.model.recommend(part, k, exclude_seen=leave_out, **options))
        if by_query:
            width = max(items.shape[1] for items, _ in found)
            found = [tuple(_widened(array, width) for array in arrays) for arrays in found]
        order = np.argsort(np.concatenate(parts))
        items, scores = (np.concatenate(arrays)[order] for arrays in zip(*found, strict=True))
        return items, scores

    def warn_merged_users(self, users: Column, exclusions: Exclusions) -> None:
        """Warn of known users, without pairs to exclude, whom `min_frequency` merged: it leaves nothing out for them.

        Parameters
        ----------
        users : ndarray of shape (n_queries,)
            Raw ids.
        exclusions : Exclusions
        """
        encoder, inputs, _ = next(block for block in self.stages[0].blocks if self.raw.user in block.inputs)
        encoder = (flat(encoder) or [encoder])[0]
        rare = (getattr(encoder, "infrequent_categories_", None) or [None] * len(inputs))[inputs.index(self.raw.user)]
        if rare is None:
            return
        rare = np.asarray(rare)
        at = np.flatnonzero(Vocabulary(as_column(rare[~pd.isna(rare)].tolist())).encode(users))
        n = sum(user not in exclusions.by_user for user in users[at].tolist())
        if n:
            warn(
                f"{n} of the {len(users)} queries are users of fit whom min_frequency of {type(encoder).__name__} "
                "merged with others: what each of them has seen is no longer known, and is not left out. Pass it in "
                "exclude=, or fit with a smaller min_frequency."
            )

    def _encode_asked(self, queries: Any, history: Any) -> tuple[Column, Any, list[Column] | None]:
        """Return the raw users, the queries for the model, and its histories."""
        if history is None:
            return *self._encode_queries(queries), None
        history = by_index(history)
        if queries is None and isinstance(history, Mapping):
            queries = as_column([*history])
        if not are_events(history):
            users, asked = None, None
            if queries is not None:
                users, asked = self._encode_queries(queries, allow_unknown=True)
            given = as_sessions(history) if users is None else sessions_by_user(history, users)
            sessions = [self._session(items, f"history[{at}]") for at, items in enumerate(given)]
            encoded = np.split(self._encode_items(sessions), np.cumsum([len(items) for items in sessions])[:-1])
            users = np.arange(len(sessions)) if users is None else users
            return users, asked, encoded if sessions else []
        owners = self.raw.ids(history, self.raw.user, "history")
        codes = self._encode_items([self.raw.ids(history, self.raw.item, "history")], events=True)
        asked = as_column(pd.Series(owners).drop_duplicates()) if queries is None else queries
        users, encoded = self._encode_queries(asked, allow_unknown=True)
        times = self.raw.times(history)
        order = np.arange(len(codes)) if times is None else np.argsort(times, kind="stable")
        past: dict[Any, list[Any]] = {}
        for owner, code in zip(owners[order].tolist(), codes[order].tolist(), strict=True):
            past.setdefault(owner, []).append(code)
        return users, encoded, [as_column(past.get(user, [])) for user in users.tolist()]

    @staticmethod
    def _session(items: Column, argument: str) -> Column:
        return as_ids(items, argument) if len(items) else items

    def _encode_items(self, sessions: list[Column], *, events: bool = False) -> Column:
        """Encode the items of histories, or of all ``events``, in one go."""
        ids = as_column([item for items in sessions for item in items.tolist()])
        codes = self._encode_ids(ids, self.raw.item, self.item)
        unknown = self.path.positions(codes) < 0
        if self._refuses_unknown and unknown.any():
            session = int(np.repeat(np.arange(len(sessions)), [len(items) for items in sessions])[np.argmax(unknown)])
            raise unknown_error("items", ids[unknown], "history" if events else f"history[{session}]")
        return codes

    def _encode_queries(self, queries: Any, *, allow_unknown: bool = False) -> tuple[Column, Any]:
        """Return the raw users and the queries for the model: only ids if there are no other columns.

        With ``allow_unknown`` they may be of another kind than the users of ``fit``.
        """
        if not is_table(queries):
            users = as_ids(queries, "queries")
        else:
            users = self.raw.ids(queries, self.raw.user, "queries")
            own = self._own_columns("query") | {self.raw.user, *(() if self.raw.time is None else (self.raw.time,))}
            if self.raw.context(queries, "queries") & own:
                self._warn_other_kind(users, self.raw.user)
                free = {self.raw.item} | (set() if isinstance(self.model, StoresHistories) else {self.raw.time})
                return users, self._transform(queries, "queries", own, free)
            self.raw.refuse_misspelt(queries, "queries", own)
        if allow_unknown and not self._refuses_unknown and not kinds_of(users) <= kinds_of(self.known_users):
            return users, self._encode_known_kinds(users)
        return users, self._encode_ids(users, self.raw.user, self.user)

    def _encode_known_kinds(self, users: Column) -> Column | None:
        """Encode users, some of another kind than those of ``fit``, which get an unused code.

        Return None if all of them are of another kind, or the codes are not numbers.
        """
        kinds, known = kinds_of(self._known_ids(self.raw.user)), self.path.users
        own = np.array([kinds_of(users[at : at + 1]) <= kinds for at in range(len(users))], dtype=np.bool_)
        if not own.any() or known.dtype.kind not in "iuf":
            return None
        codes = self._encode_ids(as_column(users[own].tolist()), self.raw.user, self.user)
        return join_ids(codes, np.array([known.max() + 1]))[np.where(own, np.cumsum(own) - 1, len(codes))]

    def _choose_from(self, candidates: Any, users: Column) -> Choice:
        """Encode candidates: those that all queries share, or a list for each."""
        found = read_candidates(
            candidates,
            users,
            catalogue=lambda: self.catalogue,
            names=(self.user_name, self.item_name),
            n_columns=len(self.raw.known) if self.raw.names is None else None,
        )
        if not isinstance(found, CandidateLists):
            choice = self._encode_candidates(found)
            return replace(choice, encoded=shared_rows(choice.encoded)) if is_table(choice.encoded) else choice
        if found.table is not None:
            own = self._own_columns("item") - {self.raw.time}
            features = sorted(self.raw.name(at) for at in self.raw.context(found.table, "candidates") & own)
            if features:
                raise ValueError(
                    f"candidates by query come with the item features {', '.join(map(repr, features))}, which behind "
                    "transformers only candidates that all queries share may have: leave them out, and the last values "
                    "seen are taken; or drop the column of the user."
                )
        if not len(users):
            return Choice(None, 0, self.catalogue, self.items)
        choice = self._encode_candidates(found.ids)
        return replace(choice, encoded=found.split(choice.encoded))

    def _encode_candidates(self, candidates: Any) -> Choice:
        known = self.path.is_own
        if candidates is None:
            return Choice(None if known.all() else self.items[known], int(known.sum()), self.catalogue, self.items)
        if not is_table(candidates):
            ids = as_ids(candidates, "candidates")
            if not len(ids):
                raise ValueError("candidates is empty: pass at least one item id, or None for the whole catalogue.")
        else:
            ids = self.raw.ids(candidates, self.raw.item, "candidates")
        own = self._own_columns("item") | {self.raw.item}
        if is_table(candidates) and self.raw.context(candidates, "candidates") & own - {self.raw.time}:
            free = {self.raw.user, *(() if self.raw.time is None else (self.raw.time,))}
            self._warn_other_kind(ids, self.raw.item)
            encoded = self._transform(candidates, "candidates", own, free)
            codes = columns_of(encoded)[self.item]
        else:
            if is_table(candidates):
                self.raw.refuse_misspelt(candidates, "candidates", own)
            encoded = codes = self._encode_ids(ids, self.raw.item, self.item)
        positions = self.path.positions(codes)
        is_unseen = (positions < 0) | ~known[positions]
        n_known = len(np.unique(positions[~is_unseen]))
        if not is_unseen.any():
            return Choice(encoded, n_known, self.catalogue, self.items)
        # All of them are one code: each gets one of its own, which the model does not know either.
        if self._refuses_unknown:
            raise unknown_error("items", ids[is_unseen], "candidates")
        at, unseen = pd.factorize(ids[is_unseen])
        fresh = _other_ids(self.items, len(unseen))
        codes = join_ids(codes[~is_unseen], fresh[at])[np.argsort(np.argsort(is_unseen, kind="stable"))]
        encoded = with_columns(encoded, {self.item: codes}) if is_table(encoded) else codes
        raw = join_ids(self.catalogue, as_column(unseen.tolist()))
        return Choice(encoded, n_known + len(unseen), raw, join_ids(self.items, fresh))

    def _own_columns(self, side: Literal["query", "item"]) -> set[int]:
        """Return the raw columns that the model's fields of the query or the item may come from; all if untold."""
        own = feature_positions(self.model, side)
        if own is None:
            return set(range(len(self.raw.known)))
        positions = set(own)
        for transformer in reversed(self.unwrapped.transformers):
            positions = sources(transformer, positions)
        return positions

    def _transform(self, table: Any, argument: str, own: set[int], free: set[int | None]) -> Any:
        """Transform queries or candidates; what is not their own may be lacking: the model does not look at it."""
        others = set(range(len(self.raw.known))) - own
        completed = self.raw.completed(table, argument, others | free)
        try:
            return self.unwrapped.transform(completed)
        except UnknownIdError:
            raise
        except (TypeError, ValueError):
            self.raw.completed(table, argument, free)  # a transformer takes no values in their place: they are needed
            raise

    @property
    def _refuses_unknown(self) -> bool:
        return bool(getattr(self.model, "handle_unknown", "oov") == "error")

    def _encode_ids(self, ids: Column, raw_position: int, position: int) -> Column:
        if not len(ids):
            return ids
        columns = [np.repeat(column, len(ids)) for column in self.path.stage_columns]
        if not self._of_another_kind(ids, raw_position):
            columns[raw_position] = ids
            return self.path.encode(columns)[position]
        columns[raw_position] = ids.astype(object)  # else encoders that compare numbers with strings fail
        try:
            codes = self.path.encode(columns)[position]
        except (TypeError, ValueError):
            self._warn_other_kind(ids, raw_position)
            raise
        known = np.asarray(self.model.items_ if raw_position == self.raw.item else self.model.users_)
        if not (_positions(known, codes) >= 0).any():
            self._warn_other_kind(ids, raw_position)
        return codes

    def _of_another_kind(self, ids: Column, raw_position: int) -> bool:
        if not of_another_kind(ids, self.path.known_columns[raw_position]):
            return False  # so far without a look at all known ids
        return of_another_kind(ids, self._known_ids(raw_position))

    def _known_ids(self, raw_position: int) -> Column:
        """Return the raw ids of all known users or items that have one of their own."""
        if raw_position == self.raw.item:
            ids = self.catalogue
        else:
            ids = self.path.decode_ids(self.model.users_, self.user, raw_position)
        return as_column(ids[~pd.isna(ids)].tolist())

    def _warn_other_kind(self, ids: Column, raw_position: int) -> None:
        """Warn of ids of another kind than the known ones, unless the encoder does, as skrec's do."""
        encoders = [block.encoder for block in self.stages[0].blocks if raw_position in block.inputs]
        tells = any(hasattr(part, "warns_of_other_kinds") for encoder in encoders for part in flat(encoder)[:1])
        if not tells and self._of_another_kind(ids, raw_position):
            warn_other_kind(ids, self._known_ids(raw_position), self.raw.name(raw_position))

    def _check_round_trip(self, positions: NDArray[np.int64]) -> None:
        positions = positions[positions < len(self.catalogue)]
        positions = positions[~self.path.is_verified[positions]]
        if not len(positions):
            return
        raw, codes = self.catalogue[positions], self.items[positions]
        returned = self._encode_ids(raw, self.raw.item, self.item)
        wrong = np.flatnonzero(returned != codes)
        if len(wrong):
            raise ValueError(
                f"The transformers cannot be inverted: their inverse_transform maps the item {codes[wrong[0]]!r} to "
                f"{raw[wrong[0]]!r}, which transform maps to {returned[wrong[0]]!r}. {CURE}"
            )
        self.path.is_verified[positions] = True


def _widened(array: NDArray[Any], width: int) -> NDArray[Any]:
    """Fill up the rows of items or scores of a ranking."""
    if array.shape[1] == width:
        return array
    is_score = array.dtype.kind == "f" and array.dtype.itemsize == 4
    wide = np.full((len(array), width), -np.inf if is_score else None, np.float32 if is_score else object)
    wide[:, : array.shape[1]] = array
    return wide


def _positions(items: Column, codes: Column) -> NDArray[np.int64]:
    """Return where in the items each code stands; -1 for those that are not there."""
    codes_from_1: NDArray[np.int32] = Vocabulary(items, "item_id").encode(codes)
    return codes_from_1.astype(np.int64) - 1


def _other_ids(items: Column, n: int) -> Column:
    """Return ids that differ from the known ones and from each other."""
    if items.dtype.kind in "iuf":
        return np.asarray(items.max() + 1 + np.arange(n))
    longest = max((len(item) for item in items.tolist() if isinstance(item, str)), default=0)
    return as_column([f"{number:0{longest + 1}d}" for number in range(n)])
