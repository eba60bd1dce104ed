"""Ranking scorers for scikit-learn: callables of an estimator and held-out rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skrec._recommend import by_index, is_recommender, unwrap
from skrec.metrics._functions import FunctionMetric, metrics_by_label
from skrec.metrics._metric_names import is_per_list
from skrec.metrics._protocols import Outcome, rank_catalogue, rank_held_out_rows
from skrec.metrics._report import RankingReport
from skrec.metrics._sampled import rank_candidates

Protocol = Literal["full", "rerank", "sampled"]
Metric = str | Callable[..., float]
Metrics = Metric | Sequence[Metric] | Mapping[str, Metric]

_PROTOCOLS = ("full", "rerank", "sampled")
_N_CANDIDATES = 99  # as in older papers
SHARES = ("cold_users", "cold_items")


class RankingScorer(BaseEstimator):
    """A ranking scorer, a callable ``(estimator, X, y=None)``; created by :func:`make_ranking_scorer`."""

    def __init__(
        self,
        metrics: Metrics = "ndcg@10",
        *,
        protocol: Protocol = "full",
        n_candidates: int | None = None,
        candidates: Any = None,
        user: str | int | None = None,
        item_features: pd.DataFrame | None = None,
        fold_in: Any = None,
        random_state: Any = 0,
    ) -> None:
        self.metrics = metrics
        self.protocol = protocol
        self.n_candidates = n_candidates
        self.candidates = candidates
        self.user = user
        self.item_features = item_features
        self.fold_in = fold_in
        self.random_state = random_state

    @property
    def __name__(self) -> str:
        """The metrics; scikit-learn's displays use the name of a callable."""
        return ", ".join(metrics_by_label(self.metrics))

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> float | dict[str, float]:
        """Return the metric, or a dict if the scorer has several metrics.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator.
        X : table of shape (n_rows, n_columns)
            Held-out rows, one an event.
        y : array-like of shape (n_rows,) or None, default=None
            Labels; rows above 0 are relevant. None: all rows are.

        Returns
        -------
        float or dict of str to float

        Raises
        ------
        ValueError
            As raised by :meth:`evaluate`.
        """
        metrics = self.evaluate(estimator, X, y).metrics
        is_one = isinstance(self.metrics, str) or callable(self.metrics)
        return next(iter(metrics.values())) if is_one else metrics

    def evaluate(self, estimator: Any, X: Any, y: Any = None) -> RankingReport:
        """Return the metrics with the values of every user and the shares of cold users and items.

        Parameters
        ----------
        estimator : estimator
            A fitted skrec model, or a fitted Pipeline or search around one; with ``protocol="rerank"``, any estimator.
        X : table of shape (n_rows, n_columns)
            Held-out rows, one an event.
        y : array-like of shape (n_rows,) or None, default=None
            Labels; rows above 0 are relevant. None: all rows are.

        Returns
        -------
        RankingReport

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the protocol ranks a catalogue and the estimator has none.
        ValueError
            If no row is relevant, a label or score is NaN, a metric has no value for any user, `item_features` lacks an
            item, or with ``protocol="rerank"`` no user's labels differ.
        """
        labels = self._check_parameters()
        names = [*dict.fromkeys(labels.values())]
        unwrapped = unwrap(estimator)
        if is_recommender(unwrapped.model):
            check_is_fitted(unwrapped.model)
        ranked = [name for name in names if name not in SHARES]
        if self.protocol == "rerank":
            outcome = rank_held_out_rows(ranked, estimator, unwrapped, X, y, user=self.user)
        elif not is_recommender(unwrapped.model):
            raise TypeError(
                f"protocol={self.protocol!r} ranks a catalogue, and {type(unwrapped.model).__name__} has none: it "
                "is not a skrec model. Use make_ranking_scorer(..., protocol='rerank'), which orders each user's "
                "held-out rows by predict."
            )
        elif self.protocol == "full":
            outcome = rank_catalogue(ranked, unwrapped, X, y, item_features=self.item_features, fold_in=self.fold_in)
        else:
            rng = np.random.default_rng(check_random_state(self.random_state).randint(2**31 - 1))
            outcome = rank_candidates(
                ranked,
                unwrapped,
                X,
                y,
                n_candidates=_N_CANDIDATES if self.n_candidates is None else self.n_candidates,
                candidates=self.candidates,
                rng=rng,
            )
        return self._report(labels, outcome, type(unwrapped.model).__name__)

    def _report(self, labels: dict[str, str], outcome: Outcome, model: str) -> RankingReport:
        shares = dict(zip(SHARES, (outcome.cold_user_share, outcome.cold_item_share), strict=True))
        metrics = {**shares, **outcome.overall}
        for name, values in outcome.values.items():
            metrics[name] = float("nan") if np.isnan(values).all() else float(np.nanmean(values))
        unknown = next((name for name in labels.values() if np.isnan(metrics[name])), None)
        if unknown in shares:
            raise ValueError(f"{unknown!r} needs a skrec model, which knows its training data, but {model} is not one.")
        if unknown is not None:
            if isinstance(unknown, FunctionMetric):
                raise ValueError(f"The metric {unknown!s} returned NaN for each of the {len(outcome.users)} users.")
            raise ValueError(
                f"{unknown!r} has no value for any of the {len(outcome.users)} users: at most one item is left to "
                "recommend to each of them. Check the catalogue that the model was fitted on."
            )
        of_users = {label: outcome.values[name] for label, name in labels.items() if name in outcome.values}
        per_user = pd.DataFrame(of_users, index=outcome.users)
        return RankingReport(
            metrics={label: metrics[name] for label, name in labels.items()},
            per_user=per_user,
            n_users=len(per_user),
            cold_user_share=outcome.cold_user_share,
            cold_item_share=outcome.cold_item_share,
            protocol=self.protocol,
        )

    def _check_parameters(self) -> dict[str, str]:
        labels = metrics_by_label(self.metrics)
        names = [*labels.values()]
        of_lists = [name for name in names if name not in SHARES and is_per_list(name)]
        if self.protocol not in _PROTOCOLS:
            raise ValueError(f"protocol must be one of 'full', 'rerank' and 'sampled', got {self.protocol!r}.")
        if of_lists and self.protocol != "full":
            raise ValueError(
                f"{of_lists[0]!r} describes lists of the whole catalogue: use protocol='full' for it, not "
                f"protocol={self.protocol!r}."
            )
        if self.fold_in is not None and self.protocol != "full":
            raise ValueError(f"fold_in needs protocol='full', got protocol={self.protocol!r}.")
        if self.fold_in is not None and (isinstance(self.fold_in, type) or not hasattr(self.fold_in, "fold_in_rows")):
            raise TypeError(
                f"fold_in must be a splitter that tells which held-out rows are history, got {self.fold_in!r}. Pass "
                "fold_in=UserHoldout(fold_in=0.8), the same splitter as cv."
            )
        if self.item_features is not None and not any(name.startswith("diversity@") for name in names):
            raise ValueError("item_features is only used by the metric 'diversity@k', which is not in metrics.")
        n = self.n_candidates
        if n is not None and (isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1):
            raise ValueError(f"n_candidates must be a whole number of at least 1, got {n!r}.")
        for name in ("n_candidates", "candidates"):
            if getattr(self, name) is not None and self.protocol != "sampled":
                raise ValueError(f"{name} needs protocol='sampled', got protocol={self.protocol!r}.")
        if n is not None and self.candidates is not None:
            raise ValueError("Pass either n_candidates or candidates, not both: given lists have their own lengths.")
        given = by_index(self.candidates)
        if given is not None and not (isinstance(given, Mapping) or hasattr(given, "columns")):
            raise TypeError(
                f"candidates must map user ids to item ids, got a {type(self.candidates).__name__}. Pass a dict "
                "{user: [item, ...]}, a series of lists indexed by the users, or a DataFrame with the columns of the "
                "user and the item."
            )
        if self.user is not None and self.protocol != "rerank":
            raise ValueError(
                f"user needs protocol='rerank'; with protocol={self.protocol!r} the model knows its user column."
            )
        return labels


def make_ranking_scorer(
    metrics: Metrics = "ndcg@10",
    *,
    protocol: Protocol = "full",
    n_candidates: int | None = None,
    candidates: Any = None,
    user: str | int | None = None,
    item_features: pd.DataFrame | None = None,
    fold_in: Any = None,
    random_state: Any = 0,
) -> RankingScorer:
    """Make a scorer that ranks items for each user of the held-out rows.

    The scorer is a callable ``(estimator, X, y=None)`` for the `scoring` parameter of ``GridSearchCV``,
    ``cross_validate``, ``permutation_importance`` and others; the estimator may be a Pipeline or a search. The user is
    a column of ``X``, so that groups need not be routed. Each user with a relevant held-out row gets a value; the score
    is the mean over these users.

    Parameters
    ----------
    metrics : str, callable, sequence of these, or dict of str to these, default="ndcg@10"
        For a name or a function, the scorer returns a float; for a sequence or a dict, it returns a dict, computed from
        one ranking. A function ``f(ranks, n_relevant, n_items)`` returns the value of one user from

        - ``ranks``, an array of the ranks (from 1, ascending) of the user's relevant items among the items that are
          ranked; an item outside the catalogue has no rank;
        - ``n_relevant``, the number of relevant items, including those without a rank; at least 1;
        - ``n_items``, the number of items that are ranked.

        The score is the mean over the users; users whose value is NaN are left out, and greater values must be better.
        With ``protocol="sampled"`` the function is called for each relevant item. The key of its values is its
        ``__name__`` if metrics is a sequence, or its key if metrics is a dict. The names are, with any k of at least 1:

        - ``"ndcg@k"``, ``"recall@k"``, ``"capped_recall@k"``, ``"precision@k"``, ``"hit_rate@k"`` (or ``"hr@k"``),
          ``"map@k"``, ``"mrr@k"``. The recall of papers on autoencoders is ``"capped_recall@k"``;
        - ``"map"``, ``"mrr"``, ``"auc"``, of the whole list. Ties count one half in the AUC, and against the model
          in all other metrics;
        - with ``protocol="full"``, of the first k items, relevant or not: ``"coverage@k"``, ``"novelty@k"``,
          ``"diversity@k"``, ``"serendipity@k"``, ``"neg_gini@k"`` and ``"neg_popularity@k"``. The last two are
          negated, because greater scores must be better. See :func:`coverage_at_k` and the other functions;
        - ``"cold_users"`` and ``"cold_items"``, the shares of users and items that are not in the training data.
    protocol : {"full", "rerank", "sampled"}, default="full"
        The set of items that each held-out item is ranked against. Values of different protocols must not be compared.

        - "full": all items of the training data, except the items that the user chose there, in positive rows
          (``y > 0``). Items of rows with ``y <= 0`` were shown but not chosen; they are ranked, and so are the items of
          the held-out rows. Held-out rows are relevant if ``y`` is None or ``y > 0``; repeated (user, item) pairs count
          as one relevant item. A relevant item that is not in the training data is a miss; a warning is given if this
          applies to all of them. Unknown users are scored by the model as unknown. Each user gets one list. If the
          model was fitted with columns besides the user, the item and the time, or uses histories, the context is the
          user's first held-out row (by time, if there is a time column).
        - "rerank": the user's held-out rows, ordered by ``predict`` (for two classes, by ``decision_function`` or
          ``predict_proba``), for any scikit-learn estimator. The labels ``y`` must differ within users; NDCG uses them
          as gains (0 for labels below 0), all other metrics use ``y > 0``. Users for whom these are all equal are left
          out of the mean, because all orders of their rows are equally good.
        - "sampled": `n_candidates` other items for each relevant held-out item. **The order of models may differ from
          that of full ranking**: which of two models is better may depend on the number of candidates [1]_. Use it only
          for comparison with published tables. The value of a user with several relevant items is the mean over them.
    n_candidates : int or None, default=None
        For "sampled": number of items that are drawn for each relevant item, uniformly and without replacement, from
        the training items that the user neither chose there (``y > 0``) nor held out; if there are fewer, all of them.
        If None, 99 items are drawn.
    candidates : dict of user id to list of item ids, Series of lists or DataFrame of pairs, default=None
        For "sampled": given lists instead of drawn ones, with the ids of ``X``. A series is indexed by the users; a
        DataFrame has the columns of the user and the item, named as in ``X``. A held-out item that is in the list of
        its user is not ranked against itself. Items that are not in the training data never come before it; a warning
        is given if this applies to all of them.
    user : str, int or None, default=None
        For "rerank": the user column of ``X``, a name or a position. If None, the user column of the skrec model; for
        other estimators ``"user_id"``, or column 0 if the columns have no names.
    item_features : DataFrame of shape (n_items, n_features), default=None
        For ``"diversity@k"``: numeric features by which items are compared, such as genres as 0 and 1, indexed by the
        item ids of ``X``. If None, the model's own ``item_embeddings_`` are used, and values of different models are
        not comparable.
    fold_in : UserHoldout or None, default=None
        For "full": the splitter that tells which of the held-out rows of a user are given to the model as the history
        of the user (:meth:`skrec.model_selection.UserHoldout.fold_in_rows`); only the other rows are scored. The model
        is given the histories by ``score_items(history=...)``; their items are not ranked, and are not relevant in
        other rows. A model without histories, such as ``NCFRanker``, is an error; a baseline that does not depend on
        them (``PopularityRanker``) is scored as it is. A warning is given about users that are in the ``users_`` of the
        model, which was fitted on them, and about users without a history, such as those with a single row. The shares
        of cold users and items describe the scored rows.
    random_state : int, RandomState or None, default=0
        For "sampled": pass an int to use the same candidates for all models.

    Returns
    -------
    RankingScorer
        A callable. Its method ``evaluate(estimator, X, y=None)`` returns a :class:`RankingReport` with the values of
        all users and the shares of cold users and items.

    Raises
    ------
    ValueError
        If a metric is unknown, or a parameter does not fit the protocol.

    Notes
    -----
    For a model of features, the query of each user is the user's first held-out row in ``X``: the columns of the user
    and of the context are taken from that row, so that unknown users are described by their features. A model of
    histories uses the events before that row. These columns must be known before the choice is made: leave a column
    such as the rating out of ``X``. The features of the items are those that training saw last, never those of the
    held-out rows. In ``permutation_importance``, item features therefore have the importance 0;
    ``protocol="rerank"`` reads them from the rows.

    Ties count against the model, whereas ``recommend`` has to break them. The lists for ``"coverage@k"`` and the other
    metrics of lists are the first k items of the same ranking, with ties broken as in ``recommend``; popularity is
    computed from the training events of the model, and the catalogue is its ``items_``.

    For a scorer that returns a dict, scikit-learn's ``GridSearchCV`` requires ``refit="ndcg@10"`` (a key), and
    ``HalvingGridSearchCV``, ``cross_val_score`` and ``learning_curve`` raise an error: pass a single metric there.

    Behind transformers, users and items are distinguished by their raw ids. A code that stands for several ids (ids
    that are new to the encoder, or rare ids with ``min_frequency``) is neither a hit nor a rival, and its training
    events are not left out for any user: otherwise merging ids would seem to improve a model. For transformers without
    ``inverse_transform``, the ids are those that they return.

    References
    ----------
    .. [1] W. Krichene and S. Rendle, "On Sampled Metrics for Item Recommendation", KDD 2020.
       :doi:`10.1145/3394486.3403226`

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import cross_validate
    >>> from skrec.metrics import make_ranking_scorer
    >>> make_ranking_scorer("ndcg@10")
    RankingScorer()
    >>> X = pd.DataFrame({"user_id": [1, 1, 2, 2] * 2, "item_id": [5, 6, 5, 6] * 2})
    >>> y = [0, 1, 0, 1] * 2
    >>> scoring = make_ranking_scorer(["ndcg@2", "hit_rate@1"], protocol="rerank")
    >>> cross_validate(Ridge(), X, y, cv=2, scoring=scoring)["test_ndcg@2"]
    array([1., 1.])

    A custom metric, here the best rank of a relevant item:

    >>> def best_rank(ranks, n_relevant, n_items):
    ...     return -float(min(ranks, default=n_items))
    >>> scoring = make_ranking_scorer([best_rank, "ndcg@2"], protocol="rerank")
    >>> cross_validate(Ridge(), X, y, cv=2, scoring=scoring)["test_best_rank"]
    array([-1., -1.])
    """
    scorer = RankingScorer(
        metrics,
        protocol=protocol,
        n_candidates=n_candidates,
        candidates=candidates,
        user=user,
        item_features=item_features,
        fold_in=fold_in,
        random_state=random_state,
    )
    scorer._check_parameters()
    return scorer
