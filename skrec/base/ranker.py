"""Ranking task: the training of networks that rank."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from skrec._data import Interactions
from skrec._estimators import Interval, StrOptions, _fit_context
from skrec.base.events import Events
from skrec.base.method_docs import SEEN, documented
from skrec.base.network import SCORED_CELLS, NetworkRecommender, own_loss
from skrec.base.ranker_mixin import RankerMixin
from skrec.base.reader import Query
from skrec.base.training_arrays import sets_by_user, training_arrays

_HELD_OUT, _HELD_OUT_SHARE = 100, 0.02  # events held out by default: a share of all, but no fewer than 100
_TRAINED_AGAIN = 100_000  # up to so many events, the embeddings of users are trained on the held-out ones, too
_LEAST_STEPS = 1_000  # before which a model with embeddings of users does not stop by default
_OF_BATCH = {"softmax", "gbce", "bpr_max", "top1_max"}  # losses that need many negatives, which a batch shares


@dataclass(eq=False, repr=False, kw_only=True)
class TrainedRanker(RankerMixin, NetworkRecommender):
    """Base class for networks that rank items for users, whatever loss they are trained with."""

    validation_fraction: float | Literal["auto"] = "auto"  # type: ignore[assignment]

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "validation_fraction": [Interval(Real, 0, 1, closed="right"), StrOptions({"auto"})],
    }

    _least_events: ClassVar[int] = 5_000  # from which events are held out by default
    _validated_roles: ClassVar[tuple[str, ...]] = ("user", "item")
    _epoch_score: ClassVar[str] = "val_ndcg"

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, X_val: Any = None, y_val: Any = None) -> Any:
        """Fit the network.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_columns)
            Training data, one event per row.
        y : array-like of shape (n_rows,), default=None
            Rows with ``y > 0`` are positives, all others are explicit negatives. If None, all rows are positives.
        sample_weight : array-like of shape (n_rows,), default=None
            Weights of the rows, for instance the number of times that an item was played.
        X_val, y_val : DataFrame or array-like, default=None
            Validation events, used to choose the best epoch instead of the last event of each user, regardless of
            ``early_stopping``. The score is the NDCG@10 of :meth:`score`, in the context of the first row of each
            user. In a Pipeline, they are transformed before this step only with ``transform_input=["X_val"]``,
            metadata routing and ``set_fit_request(X_val=True, y_val=True)``.

        Returns
        -------
        self
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @_fit_context(prefer_skip_nested_validation=True)
    @documented(seen=SEEN)
    def partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None, *, seen: bool = False) -> Any:
        """Train for one epoch on further events, log them, and add their new users and items.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        {seen}

        Returns
        -------
        self
            The fitted estimator.

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.models import NCFRanker
        >>> first = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["x", "y"]})
        >>> model = NCFRanker(random_state=0).partial_fit(first)
        >>> model = model.partial_fit(pd.DataFrame({"user_id": ["cy"], "item_id": ["z"]}))
        >>> model.users_.tolist(), model.items_.tolist()
        (['ann', 'bob', 'cy'], ['x', 'y', 'z'])
        """
        return self._partial_fit(X, y, sample_weight, seen)

    @property
    def _adapts_to_users(self) -> bool:
        """Whether early stopping is automatic and there are embeddings of users, which need many steps and all events.

        Scores start at those of popularity and may take many steps to rise above them. Events that are held out are
        lost for embeddings, but not for histories.
        """
        return self.early_stopping == "auto" and "user" in self._table_rows()

    def _least_epochs(self, n_steps: int) -> int:
        return -(-_LEAST_STEPS // n_steps) if self._adapts_to_users else 0

    def _trains_again(self, n_rows: int) -> bool:
        return self._adapts_to_users and n_rows <= _TRAINED_AGAIN

    def _hold_out(self, events: Events, random_state: Any) -> NDArray[Any] | None:
        """Choose the last positive event of users with several: of a fraction of the users, or of enough of them.

        By default, what is held out must be a small part of the events, but enough to tell epochs apart.
        """
        rows = self._last_events(events)
        if self.early_stopping == "auto" and (len(rows) < _HELD_OUT or len(events) < self._least_events):
            return None
        if not len(rows):
            raise ValueError(
                "Early stopping cannot hold out events, because no user has two positive events. Pass X_val, or "
                "set early_stopping=False."
            )
        if self.validation_fraction == "auto":
            n = max(_HELD_OUT, int(_HELD_OUT_SHARE * len(events)))
        else:
            n = int(np.ceil(self.validation_fraction * len(rows)))
        n = min(n, max(_HELD_OUT, SCORED_CELLS // len(self._items)))
        chosen: NDArray[Any] = np.sort(random_state.permutation(rows)[:n])
        return chosen

    def _log_popularity(self) -> NDArray[np.float32]:
        """Return the logarithm of the popularity of each item, relative to its mean: (n_items + 1, 1).

        The popularity is the number of events, or the sum of their weights; without events, it is half that of the
        least popular item. Another pass over the same rows changes nothing.
        """
        counts = self._log.item_counts.astype(np.float64)
        counts[counts == 0] = counts.min(where=counts > 0, initial=counts.max()) / 2 or 1.0
        logarithms: NDArray[np.float32] = np.log(counts / counts.mean()).astype(np.float32)[:, None]
        return logarithms

    @staticmethod
    def _last_events(events: Events) -> NDArray[Any]:
        """Return the rows of the last positive event of each user with several."""
        positive = np.flatnonzero(events.target > 0)
        users = events.users[positive]
        keys = (users,) if events.time is None else (events.time[positive], users)
        order = positive[np.lexsort(keys)]
        ordered = events.users[order]
        last = np.append(ordered[1:] != ordered[:-1], True)
        several = np.append(False, ordered[1:] == ordered[:-1])
        found: NDArray[Any] = order[last & several]
        return found

    def _scorer(self, events: Events) -> Any:
        """Return a function that computes the NDCG@10 over the catalogue without the training items."""
        from skrec._engine.scoring import catalogue
        from skrec.metrics._ranks import metrics_from_ranks, positive_ranks

        relevant = events.take(np.flatnonzero((events.target > 0) & (events.items > 0)))
        missed = events.take(np.flatnonzero((events.target > 0) & (events.items == 0)))
        users = np.unique(np.concatenate([relevant.users, missed.users]))
        shape = (len(users), len(self._items))
        place = np.searchsorted(users, relevant.users)
        positives = csr_array((np.ones(len(place), bool), (place, relevant.items - 1)), shape=shape)
        positives.sum_duplicates()
        n_relevant = np.diff(positives.indptr) + np.bincount(np.searchsorted(users, missed.users), minlength=len(users))
        excluded = self._log.seen(users)
        # One list per user, as in ranking scorers, with the context and the history of the user's first row.
        order = np.lexsort((events.users,) if events.time is None else (events.time, events.users))
        first = order[np.searchsorted(events.users[order], users)]
        queries = self._query_inputs(Query(users, times=None if events.time is None else events.time[first]))
        context = {name: rows[first] for name, rows in events.inputs.items() if name in queries and name != "history"}
        queries = {**queries, **context}
        items = self._item_inputs(self._every_item())

        def score(program: Any) -> float:
            values = np.empty(len(users))

            def rank(part: slice, scores: NDArray[np.float32]) -> None:
                indptr, ranks = positive_ranks(scores, positives[part], excluded[part])
                values[part] = metrics_from_ranks(["ndcg@10"], indptr, ranks, n_relevant[part])["ndcg@10"]

            catalogue(program, queries, items, rank)
            return float(values.mean())

        return score


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRanker(TrainedRanker):
    """Base class for networks that rank items for users, trained on events and sampled negatives.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from skrec.base import NetworkRanker
    >>> from skrec.datasets import make_interactions
    >>> @dataclass(eq=False, repr=False, kw_only=True)
    ... class FactorRanker(NetworkRanker):
    ...     embedding_dim: int = 8
    ...
    ...     def _network_config(self, n_outputs):
    ...         return {"dim": self.embedding_dim}
    ...
    ...     @staticmethod
    ...     def _build_network(keras, layers, *, dim):
    ...         parts = {"user": layers.Table("user", dim), "item": layers.Table("item", dim)}
    ...         return layers.Network(
    ...             query=lambda inputs: parts["user"](inputs["user"]),
    ...             item=lambda inputs: parts["item"](inputs["item"]),
    ...             interact=layers.match,
    ...             parts=parts,
    ...         )
    >>> model = FactorRanker(epochs=2, random_state=0).fit(make_interactions(50, 20, 600, random_state=0))
    >>> model.recommend([3, 5], k=4).shape
    (8, 4)
    """

    l2: float = 0.01
    loss: Any = "auto"
    n_negatives: int | Literal["auto", "all"] = "auto"
    negative_sampling: float | Literal["auto", "uniform", "popularity", "mixed"] = "auto"
    reject_positives: bool = False

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "loss": [StrOptions({"auto", "log_loss", "bpr", "softmax"}), callable],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto", "all"})],
        "negative_sampling": [
            Interval(Real, 0, None, closed="left"),
            StrOptions({"auto", "uniform", "popularity", "mixed"}),
        ],
        "reject_positives": ["boolean"],
    }
    _full_catalogue: ClassVar[int] = 2**14  # up to this number of items, "auto" is a softmax over the whole catalogue
    _negatives_of_batch: ClassVar[int] = 4096  # otherwise, if the batch shares them
    _negatives_of_row: ClassVar[int] = 4  # "auto" if negatives are sampled separately for each row

    @property
    def _factorised(self) -> bool:
        """Whether the score is a dot product, so that the rows of a batch can share negatives."""
        return False

    @property
    def _auto_loss(self) -> str:
        """The loss if ``loss="auto"``."""
        return "softmax" if self._factorised else "log_loss"

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        space = super()._search_space(distributions)
        if not self._factorised and self.n_negatives != "all":
            space["n_negatives"] = distributions.IntDistribution(1, 16, log=True)
        return space

    def _training(self, events: Events, log: Interactions) -> dict[str, Any]:
        if callable(self.loss):
            loss: Any = own_loss(self.loss, ranking=True)
        else:
            loss = self._auto_loss if self.loss == "auto" else self.loss
        negatives, n_negatives = self._negatives(loss, log.n_items)
        mixed = self._mixes(loss, negatives)
        alpha = {"popularity": 1.0}.get(self.negative_sampling, self.negative_sampling)  # type: ignore[arg-type]
        alpha = 0.0 if isinstance(alpha, str) else float(alpha)
        reject = self.reject_positives and negatives == "rows"
        more: dict[str, Any] = {"item_counts": log.item_counts if alpha else None}
        if mixed:
            more["item_counts"] = np.bincount(events.items, minlength=log.n_items + 1)
        if reject:
            users = np.repeat(np.arange(log.n_users + 1, dtype=np.int64), np.diff(log.indptr))
            more["positives"] = users * (log.n_items + 1) + log.items
        every_item = self._item_inputs(Query(np.arange(log.n_items + 1, dtype=np.int32)))
        more["catalogue"] = {name: array for name, array in every_item.items() if name != "item"}
        if self._in_sets(loss, negatives, events):
            arrays = sets_by_user(events, log, more["catalogue"])
            structure = {"losses": (loss,), "negatives": negatives, "target_set": "targets"}
            if self.batch_size != "auto":  # a number of events
                structure["batch_size"] = max(1, round(int(self.batch_size) * arrays.n_rows / len(events)))
            return {"structure": structure, "settings": {"user_rate": len(events) / arrays.n_rows}, "arrays": arrays}
        return {
            "structure": {
                "losses": (loss,),
                "negatives": negatives,
                "popularity": bool(alpha),
                "in_batch": mixed,
                "reject": reject,
            },
            "settings": {"n_negatives": n_negatives, "popularity": alpha},
            "arrays": training_arrays(events, log, **more),
        }

    def _in_sets(self, loss: Any, negatives: str, events: Events) -> bool:
        """Return whether the events of a user share a softmax over the catalogue, which depends on the user alone."""
        shared = self._factorised and loss == "softmax" and negatives == "catalogue"
        return shared and events.inputs.keys() == {"user", "item"} and bool((events.target > 0).all())

    def _negatives(self, loss: Any, n_items: int) -> tuple[str, int]:
        """Return how negatives are sampled (per row, shared by the batch, or the whole catalogue) and their number."""
        shared, automatic = self._factorised and isinstance(loss, str) and loss in _OF_BATCH, self.n_negatives == "auto"
        if isinstance(loss, str) and loss == "softmax":
            if self.n_negatives == "all" or (automatic and shared and n_items <= self._full_catalogue):
                return "catalogue", 0
        elif self.n_negatives == "all":
            raise ValueError(f"n_negatives='all' needs loss='softmax', not {loss!r}.")
        if not automatic:
            return "shared" if shared else "rows", int(self.n_negatives)
        if shared:
            return "shared", self._negatives_of_batch if loss == "softmax" else 256
        return "rows", self._negatives_of_row

    def _mixes(self, loss: Any, negatives: str) -> bool:
        """Return whether the items of the batch are negatives, too."""
        possible = negatives == "shared" and loss == "softmax"
        if self.negative_sampling == "mixed" and not possible and negatives != "catalogue":
            raise ValueError(
                "negative_sampling='mixed' adds the items of a batch to the negatives that its rows share, which needs "
                "loss='softmax' and a model whose scores are dot products, such as NCFRanker(architecture='mf') or "
                "SASRecRanker. Use 'uniform' or 'popularity'."
            )
        return possible and self.negative_sampling in {"auto", "mixed"}
