"""Content-based ranking: items by their features, users by the features of the items they chose."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from sklearn.decomposition import TruncatedSVD

from skrec._data.features.item_columns import is_missing
from skrec._data.tables.columns import Column
from skrec._estimators import HasMethods, Interval, StrOptions, check_is_fitted
from skrec._warnings import warn
from skrec.base.field_inputs import chosen_fields
from skrec.base.reader import Codes
from skrec.models.content._encoders import encoded, learn_encoder, unit_rows
from skrec.models.content._explanations import FeatureExplanations, entry_products

__all__ = ["ContentRanker"]

_MOST_DIMENSIONS = 2048
"""Number of dimensions above which ``n_components="auto"`` reduces them."""
_N_COMPONENTS = 512


@dataclass(eq=False, repr=False, kw_only=True)
class ContentRanker(FeatureExplanations):
    r"""Rank items by the similarity of their features to those of the items that a user chose.

    Items are vectors of their features, users the weights of features that predict their choices. An item without any
    event is ranked as well as all others: it can be passed in ``candidates=`` as a row with its features, or added with
    ``partial_fit``. Columns of text, categories, lists, numbers and arrays are recognized.

    Parameters
    ----------
    user, item, time : str, int or None, default=None
        Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"``
        and, if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. The time is not a
        feature; with a time, the features of an item are those of its latest row, otherwise those of its last row.
    handle_unknown : {"oov", "error"}, default="oov"
        How to handle an id that was not seen during ``fit``. If ``"oov"``, an unknown item is scored by the features
        that come with it, and unknown users get popular items. If ``"error"``,
        :class:`~skrec.exceptions.UnknownIdError` is raised.
    item_features : "auto" or array-like of str or int, default="auto"
        Columns that describe the item; all others are ignored. If ``"auto"``, these are all columns but those that
        differ between the rows of an item, or that are the same in all rows of a user. ``column_roles_`` gives each
        decision with its reason.
    text_features : "auto", array-like of str or int, or None, default="auto"
        Columns of text. If ``"auto"``, these are columns of strings with three words or more on average that differ
        between most items.
    categorical_features : "from_dtype", array-like of str, int or bool, callable or None, default="from_dtype"
        Categorical columns, as in :class:`DeepFMRanker`. If ``"from_dtype"``, columns of strings, categories, objects
        and booleans that are not text are categorical. Columns of lists and of arrays are always recognized.
    multivalued_features : array-like of str or int, default=None
        Columns of delimited strings with several values per row (``"Drama|War"``). Columns of lists need not be named.
    separator : str or None, default="|"
        Separator at which the strings of `multivalued_features` are split.
    feature_weights : dict of str or int to float, default=None
        Weights of columns, by name or position. The similarity of two items is the weighted mean of their similarities
        in each column. Columns that are not named have the weight 1; a column of weight 0 is ignored.
    text_vectorizer : transformer, default=None
        Transformer of text, which is cloned for each column of text, such as
        ``HashingVectorizer()``. The default is ``TfidfVectorizer(sublinear_tf=True)``.
    n_components : int, "auto" or None, default="auto"
        Number of components to which the vectors of items are reduced by a truncated singular value decomposition
        before users are learned. If None, they are not reduced. ``"auto"`` is 512 for vectors of more than 2,048
        dimensions and None otherwise.
    l2 : float or None, default=30.0
        Strength of the regularization of the ridge regression that learns the weights of features for each user, with
        a target of 1 for the items that the user chose and 0 for all others. Small values discount features that many
        items share. If None, no regression is computed: the weights are the sum of the vectors of the chosen
        items, and the score is the cosine of this profile and the item.
    shrinkage : float, default=0.0
        Number of events at which the features count half as much as with infinitely many, relative to `popularity`.
    popularity : float, default=0.4
        Weight of the popularity of items, the logarithm of their number of events divided by its maximum. Items
        without events get the mean of all others. If 0, items are ranked by their features alone.
    random_state : int, RandomState instance or None, default=None
        Seed of the singular value decomposition.

    Attributes
    ----------
    users_, items_ : ndarray
        Known user ids and item ids.
    feature_names_ : tuple of str
        Names of the columns that describe items.
    item_vectors_ : csr_array of shape (n_items, n_dimensions)
        Vectors of the items, of length 1; 0 for items without any known feature.
    n_components_ : int or None
        Number of components; None if the vectors are not reduced.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``. Defined only if all names are strings.

    See Also
    --------
    DeepFMRanker : A network of the features of items, users and contexts.

    Notes
    -----
    Each column becomes a block of the vectors: text by TF-IDF of its words; categories and lists by indicators weighted
    by their inverse frequency among items; numbers by their quantile, so that near numbers are similar; arrays
    standardized. The blocks have length 1 and are weighted by `feature_weights`. Missing values and values that no
    known item has are 0.

    Let :math:`F` be the vectors of all items, and :math:`h` the number of events of a user with each item. The weights
    of features for the user are :math:`q = (F^T F + \lambda I)^{-1} F^T h`. The score of an item with the vector
    :math:`f` is :math:`f^T q / \lVert q \rVert`, multiplied by :math:`n / (n + s)` for :math:`n` events and the
    `shrinkage` :math:`s`, plus the weighted popularity. See [1]_ for profiles of users made of the features of items.

    A user without a history, or whose items have no features, gets popular items.

    References
    ----------
    .. [1] M. J. Pazzani, D. Billsus: Content-Based Recommendation Systems. The Adaptive Web, 2007.
       https://doi.org/10.1007/978-3-540-72079-9_10

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import ContentRanker
    >>> genres = [["scifi", "horror"], ["scifi"], ["drama"]]
    >>> films = pd.DataFrame({"item_id": ["alien", "dune", "emma"], "genres": genres})
    >>> events = pd.DataFrame({"user_id": ["ann", "bob"], "item_id": ["alien", "emma"]}).merge(films)
    >>> model = ContentRanker(item_features=["genres"], popularity=0).fit(events)
    >>> model.recommend(["ann", "bob"], k=1, candidates=films, exclude_seen=False)["item_id"].tolist()
    ['alien', 'emma']
    >>> model.recommend(["ann"], k=1, candidates=films)["item_id"].tolist()
    ['dune']
    """

    feature_weights: Any = None
    text_vectorizer: Any = None
    n_components: Any = "auto"
    l2: float | None = 30.0
    shrinkage: float = 0.0
    popularity: float = 0.4
    random_state: Any = None

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "feature_weights": [dict, None],
        "text_vectorizer": [HasMethods(["fit", "transform"]), None],
        "n_components": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "l2": [Interval(Real, 0, None, closed="neither"), None],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
        "popularity": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    n_components_: int | None = field(init=False, repr=False)
    _column_weights: NDArray[np.float64] = field(init=False, repr=False)
    _components: NDArray[np.float64] | None = field(init=False, repr=False)
    """Components of the decomposition, of shape (n_dimensions, n_components)."""
    _regression: NDArray[np.float64] | None = field(init=False, repr=False)
    """Inverse of the regularized Gram matrix of the (reduced) vectors; None without a regression."""
    _popularities: NDArray[np.float64] = field(init=False, repr=False)
    """Weighted popularity of each item code; that of code 0 is for new items."""

    # -- fitting ------------------------------------------------------------------------------------------------------

    def _solve(self, matrix: sparse.csr_array) -> None:
        columns, names = self._item_columns, self._item_columns.names
        values = self._item_values.columns
        self._warn_without_features(values)
        self._column_weights = self._weights_of_columns()
        self._encoders = [
            learn_encoder(kind, column, name, self.text_vectorizer)
            for kind, column, name in zip(columns.kinds, values, names, strict=True)
        ]
        self.item_vectors_ = vectors = self._vectors_of(values)
        self._components = self._learn_components(vectors)
        self.n_components_ = None if self._components is None else self._components.shape[1]
        self._regression = None
        if self.l2 is not None:
            reduced = vectors if self._components is None else vectors @ self._components
            gram = reduced.T @ reduced
            gram = gram.toarray() if sparse.issparse(gram) else gram
            gram[np.diag_indices_from(gram)] += self.l2
            self._regression = linalg.inv(gram, overwrite_a=True, check_finite=False) if len(gram) else gram
        counts = np.log1p(np.asarray(matrix.sum(axis=0)))
        shares = counts / (counts.max(initial=0.0) or 1.0)
        chosen = shares > 0
        mean = float(shares[chosen].mean()) if chosen.any() else 0.0
        self._popularities = self.popularity * np.concatenate([[mean], np.where(chosen, shares, mean)])

    def _warn_without_features(self, values: tuple[Column, ...]) -> None:
        lacking = np.logical_and.reduce([is_missing(column) for column in values])
        if not lacking.any():
            return
        listed = ", ".join(map(repr, self._item_columns.names))
        if lacking.all():
            raise ValueError(
                f"No item has a feature: all values of the column(s) {listed} are missing. Items can only be compared "
                "by features."
            )
        at = int(np.argmax(lacking))
        warn(
            f"{int(lacking.sum()):,} of {len(lacking):,} items, such as {self._items.ids[at : at + 1].tolist()[0]!r}, "
            f"have no feature: all values of the column(s) {listed} are missing. Such an item is scored by its "
            "popularity alone, and says nothing about the users who chose it."
        )

    def _weights_of_columns(self) -> NDArray[np.float64]:
        names, given = list(self._item_columns.names), self.feature_weights or {}
        weights = np.ones(len(names))
        places = chosen_fields(names, given, "feature_weights", self._estimator_roles)
        for (name, weight), place in zip(given.items(), places, strict=True):
            if isinstance(weight, bool) or not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
                raise ValueError(f"feature_weights[{name!r}] is {weight!r}, but weights are numbers of at least 0.")
            weights[place] = weight
        if not weights.any():
            raise ValueError("All feature_weights are 0, but items can only be compared by features of other weights.")
        return weights

    def _learn_components(self, vectors: sparse.csr_array) -> NDArray[np.float64] | None:
        n_components, most = self.n_components, min(vectors.shape)
        if isinstance(n_components, str):
            n_components = _N_COMPONENTS if vectors.shape[1] > _MOST_DIMENSIONS and self.l2 is not None else None
        if n_components is None or n_components >= most:
            return None
        decomposition = TruncatedSVD(int(n_components), random_state=self.random_state)
        components: NDArray[np.float64] = decomposition.fit(vectors).components_.T
        return components

    # -- scoring ------------------------------------------------------------------------------------------------------

    def _vectors_of(self, columns: tuple[Column, ...]) -> sparse.csr_array:
        parts = zip(self._encoders, columns, self._item_columns.names, self._column_weights, strict=True)
        blocks = [np.sqrt(weight) * encoded(encoder, column, name) for encoder, column, name, weight in parts]
        vectors = unit_rows(sparse.csr_array(sparse.hstack(blocks, format="csr")))
        vectors.eliminate_zeros()
        return vectors

    def _catalogue_vectors(self) -> sparse.csr_array:
        return self.item_vectors_

    def _scores(self, histories: sparse.csr_array) -> NDArray[np.float64]:
        return self._scores_of(histories, self.item_vectors_, self._every_item().codes)

    def _regressed(self, vectors: sparse.csr_array) -> NDArray[np.float64]:
        """Return vectors multiplied by the (symmetric) matrix of the regression."""
        if self._components is not None:
            reduced = vectors @ self._components
            mapped: NDArray[np.float64] = reduced if self._regression is None else reduced @ self._regression
            return np.asarray(mapped @ self._components.T)
        return vectors.toarray() if self._regression is None else np.asarray(vectors @ self._regression)

    def _profiles(self, histories: sparse.csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the weights of features for histories, and the factors of their scores: 0 without features."""
        profiles = self._regressed(histories @ self.item_vectors_)
        n_events = np.asarray(histories.sum(axis=1))
        lengths = np.sqrt(np.einsum("ij,ij->i", profiles, profiles))
        lacking = lengths <= 1e-12 * np.maximum(n_events, 1.0)
        trust = n_events / (n_events + self.shrinkage + (n_events == 0))
        return profiles, np.where(lacking, 0.0, trust / np.where(lacking, 1.0, lengths))

    def _scores_of(self, histories: sparse.csr_array, vectors: sparse.csr_array, codes: Codes) -> NDArray[np.float64]:
        profiles, factors = self._profiles(histories)
        scores: NDArray[np.float64] = (vectors @ profiles.T).T * factors[:, None] + self._popularities[codes]
        scores[factors == 0] = self._shares_of(codes)
        return scores

    def _pair_scores(
        self, histories: sparse.csr_array, rows: NDArray[np.intp], vectors: sparse.csr_array, codes: Codes
    ) -> NDArray[np.float64]:
        profiles, factors = self._profiles(histories)
        pair, values = entry_products(profiles, rows, vectors)
        scores = np.bincount(pair, values, minlength=len(rows)) * factors[rows] + self._popularities[codes]
        return np.where(factors[rows] == 0, self._shares_of(codes), scores)

    def _shares_of(self, codes: Codes) -> NDArray[np.float64]:
        """Return the scores of items for users without a history."""
        return np.where(codes > 0, self._item_shares[np.maximum(codes, 1) - 1], 0.0)

    @property
    def feature_names_(self) -> tuple[str, ...]:
        """Names of the columns that describe items."""
        check_is_fitted(self)
        return self._item_columns.names

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        return {
            "l2": distributions.FloatDistribution(1.0, 1000.0, log=True),
            "popularity": distributions.FloatDistribution(0.0, 2.0),
            "shrinkage": distributions.FloatDistribution(0.0, 10.0),
        }
