"""Crosses of categorical columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import Rows, Vocabulary, as_rows
from skrec._data.ids.value_kinds import kinds_of
from skrec._docs import documented
from skrec._sklearn_compat import Interval, StrOptions, _fit_context, check_feature_names_in, get_output_config
from skrec._transaction import ReadsOneState, transaction
from skrec.exceptions import UnknownIdError
from skrec.preprocessing._common import (
    INPUT_FEATURES,
    MIN_FREQUENCY,
    OTHER_FEATURES,
    min_count,
    read_again,
    refuse_narrow_dtype,
    refuse_sparse_frame,
    split_rare,
)
from skrec.preprocessing._cross_codes import (
    column_codes,
    cross_categories,
    cross_codes,
    decoded,
    fit_column,
    fit_cross,
    hashed_codes,
    warn_hashed_kinds,
)
from skrec.preprocessing._cross_columns import (
    array_beside,
    checked_degrees,
    chosen_crosses,
    cross_names,
    crosses_of_degrees,
    frame_beside,
    one_hot,
    refuse_contradictions,
    refuse_same_names,
)

__all__ = ["FeatureCrosses"]

Cross = tuple[int, ...]
Columns = dict[int, tuple[Vocabulary, NDArray[np.int32]]]


@dataclass(eq=False, repr=False, kw_only=True)
class FeatureCrosses(ReadsOneState, TransformerMixin, BaseEstimator):
    """Cross categorical columns: encode each combination of their values as one code.

    A linear model, or the wide part of :class:`~skrec.models.WideDeepClassifier`, learns nothing about "comedies *on
    Sundays*" from the columns "genre" and "day", but does from their cross. This is the cross-product transformation
    of Wide & Deep [1]_, of any degree, by vocabulary (exact) or by hash (bounded in size, nothing to learn).

    Categories are compared by value: 1 and 1.0 are the same category, ``"1"`` is another. Missing values form their own
    category. Every distinct value is a category, so discretize numbers first, for instance with
    :class:`~sklearn.preprocessing.KBinsDiscretizer`.

    The codes are integers, which a feature model takes for numbers: list all categorical columns in its
    ``categorical_features`` (see the last example).

    Parameters
    ----------
    crosses : list of tuples of (str or int), default=None
        The columns of each cross, by name or position. If None, every combination of `degree` columns is crossed.
    degree : int or tuple of int, default=2
        The number of columns in a cross, or several such numbers. Used if `crosses` is None.
    encoding : {"vocabulary", "hash"}, default="vocabulary"
        If ``"vocabulary"``, each combination seen in ``fit`` has a code from 1 to n, in the order of its values, and
        any other combination has the code 0. If ``"hash"``, every combination has a code from 1 to `n_bins`, and
        several combinations may share a code. The hash is stable across processes, platforms and versions.
    n_bins : int, default=65536
        The number of codes of a cross with ``encoding="hash"``.
    min_frequency : int or float, default=None
        Combinations in fewer rows than this (an int), or in a smaller share of the rows (a float between 0 and 1),
        are encoded as 0. They count as seen. Only used with ``encoding="vocabulary"``.
    handle_unknown : {"oov", "error"}, default="oov"
        How ``transform`` handles a combination that ``fit`` did not see: encode it as 0 ("out of vocabulary"), or
        raise :class:`~skrec.exceptions.UnknownIdError`. Only used with ``encoding="vocabulary"``.
    passthrough : bool, default=False
        If True, return the unchanged input columns followed by the crosses, for a model that needs both. The array has
        a numeric dtype if all columns are numeric, else the object dtype. Data frames keep the type of each column.
    sparse_output : bool, default=False
        If True, return the one-hot encoding of the codes instead of the codes: a sparse matrix with one column for
        each code of each cross. The code 0 is a row of zeros.
    dtype : number type, default=np.int64
        Type of the codes, or of the values of the one-hot encoding.

    Attributes
    ----------
    crosses_ : list of tuples
        The columns of each cross, by name if ``fit`` saw column names, else by position.
    categories_ : list of ndarray
        The combinations of each cross as tuples of values, in order: the code of ``categories_[j][i]`` is ``i + 1``.
        A missing value is None. Only available with ``encoding="vocabulary"``.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in ``fit``. Only available if all of them are strings.

    See Also
    --------
    sklearn.preprocessing.PolynomialFeatures : Products of numbers.
    IDEncoder : Codes for single columns.

    References
    ----------
    .. [1] Cheng, H.-T. et al. (2016). Wide & Deep Learning for Recommender Systems. DLRS. Section 3.1.
       doi:10.1145/2988450.2988454, arXiv:1606.07792

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.preprocessing import FeatureCrosses
    >>> X = pd.DataFrame({"genre": ["comedy", "drama", "comedy"], "day": ["sun", "sun", "mon"]})
    >>> crosses = FeatureCrosses().fit(X)
    >>> crosses.transform(X)
    array([[2],
           [3],
           [1]])
    >>> crosses.categories_[0].tolist()
    [('comedy', 'mon'), ('comedy', 'sun'), ('drama', 'sun')]
    >>> crosses.transform(pd.DataFrame({"genre": ["drama"], "day": ["mon"]}))
    array([[0]])
    >>> FeatureCrosses(passthrough=True).set_output(transform="pandas").fit_transform(X)
        genre  day  genre_x_day
    0  comedy  sun            2
    1   drama  sun            3
    2  comedy  mon            1

    A feature model that uses the codes needs to know that they are categories:

    >>> from sklearn.pipeline import make_pipeline
    >>> from skrec.models import FMClassifier
    >>> model = FMClassifier(epochs=1, categorical_features=["genre", "day", "genre_x_day"])
    >>> crossed = FeatureCrosses(passthrough=True).set_output(transform="pandas")
    >>> make_pipeline(crossed, model).fit(X, [1, 0, 0])[-1].field_names_
    ('genre', 'day', 'genre_x_day')
    """

    crosses: Sequence[Sequence[str | int]] | None = None
    degree: int | Sequence[int] = 2
    encoding: Literal["vocabulary", "hash"] = "vocabulary"
    n_bins: int = 2**16
    min_frequency: int | float | None = None
    handle_unknown: Literal["oov", "error"] = "oov"
    passthrough: bool = False
    sparse_output: bool = False
    dtype: DTypeLike = np.int64

    warns_of_other_kinds: ClassVar[bool] = True
    """Whether ``transform`` warns of ids that are of another kind than those of ``fit``."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "crosses": [list, tuple, None],
        "degree": [Interval(Integral, 2, None, closed="left"), list, tuple],
        "encoding": [StrOptions({"vocabulary", "hash"})],
        "n_bins": [Interval(Integral, 1, None, closed="left")],
        "min_frequency": MIN_FREQUENCY,
        "handle_unknown": [StrOptions({"oov", "error"})],
        "passthrough": ["boolean"],
        "sparse_output": ["boolean"],
        "dtype": "no_validation",
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Find the columns of each cross, and learn the combinations of their values.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Categorical columns. Other columns are allowed if `crosses` names the columns to cross.
        y : None
            Ignored.

        Returns
        -------
        FeatureCrosses
            The fitted transformer.

        Raises
        ------
        ColumnError
            If `crosses` has a column that does not exist, or would give two output columns the same name.
        TypeError
            If a value in a crossed column is not hashable, or has no stable hash.
        ValueError
            If there is no cross, if `crosses` is None and there are more than 100,000 combinations of columns, if two
            parameters contradict each other, if a value in a crossed column is infinite, or if `dtype` cannot hold the
            codes.
        """
        with transaction(self) as encoder:
            encoder._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> Any:  # noqa: ARG002
        """Learn the combinations and encode them: ``fit(X).transform(X)`` at half the cost.

        Parameters
        ----------
        X, y
            As in :meth:`fit`.

        Returns
        -------
        ndarray or csr_array of shape (n_rows, n_features_out), or what ``set_output`` asks for
            See :meth:`transform`.

        Raises
        ------
        ColumnError, TypeError, ValueError
            As in :meth:`fit`.
        """
        refuse_sparse_frame(self)
        with transaction(self) as encoder:
            return encoder._output(X, *encoder._fit(X))

    def transform(self, X: Any) -> Any:
        """Encode the combinations of values.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray or csr_array of shape (n_rows, n_features_out), or what ``set_output`` asks for
            One column of codes for each cross, preceded by the input columns if `passthrough` is True. If
            `sparse_output` is True, a ``scipy.sparse.csr_array`` with one column for each code of each cross.

        Raises
        ------
        UnknownIdError
            If ``fit`` did not see a combination and `handle_unknown` is ``"error"``.
        TypeError
            If a value in a crossed column is not hashable, or has no stable hash.
        ValueError
            If a value in a crossed column is infinite, or the columns are not those of ``fit``.

        Examples
        --------
        >>> from skrec.preprocessing import FeatureCrosses
        >>> crosses = FeatureCrosses(handle_unknown="error").fit([["comedy", "sun"], ["drama", "mon"]])
        >>> crosses.transform([["comedy", "mon"]])
        Traceback (most recent call last):
        skrec.exceptions.UnknownIdError: The cross 'x0_x_x1' has ('comedy', 'mon') in row 0, a combination that was \
not seen in fit (1 such row(s)). Fit on data that has it, or pass handle_unknown='oov'.
        """
        check_is_fitted(self)
        refuse_sparse_frame(self)
        rows = read_again(self, X)
        if self.encoding == "hash":
            warn_hashed_kinds(rows, getattr(self, "_kinds", {}))  # files of earlier versions have none
            return self._output(X, rows, hashed_codes(rows, self._positions, self._n_codes[0]))
        doubt = self.handle_unknown == "oov"
        columns = {p: (known, column_codes(rows, p, known, warn=doubt)) for p, known in self._vocabularies.items()}
        codes = []
        for number, (cross, tables) in enumerate(zip(self._positions, self._tables, strict=True)):
            parts = [columns[position] for position in cross]
            codes.append(cross_codes(parts, tables))
            if self.handle_unknown == "error" and not codes[-1].all():
                infrequent = cross_codes(parts, [*tables[:-1], self._infrequent[number]])
                self._refuse_unknown(rows, number, columns, np.maximum(codes[-1], infrequent))
        return self._output(X, rows, codes)

    @documented(input_features=INPUT_FEATURES, raises=OTHER_FEATURES)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output columns.

        Parameters
        ----------
        {input_features}

        Returns
        -------
        ndarray of shape (n_features_out,) of str objects
            ``"genre_x_day"`` for a cross. With `sparse_output`, ``"genre_x_day_comedy_x_sun"`` for a combination, or
            ``"genre_x_day_17"`` for a code with ``encoding="hash"``.

        Raises
        ------
        {raises}

        Examples
        --------
        >>> from skrec.preprocessing import FeatureCrosses
        >>> FeatureCrosses(degree=(2, 3)).fit([[0, 1, 2]]).get_feature_names_out()
        array(['x0_x_x1', 'x0_x_x2', 'x1_x_x2', 'x0_x_x1_x_x2'], dtype=object)
        """
        check_is_fitted(self)
        inputs = check_feature_names_in(self, input_features)
        names = cross_names(self._positions, inputs)
        if self.sparse_output:
            parts = (
                (range(1, n_codes + 1) for n_codes in self._n_codes)
                if self.encoding == "hash"
                else (["_x_".join(map(str, values)) for values in categories] for categories in self.categories_)
            )
            names = [f"{name}_{part}" for name, categories in zip(names, parts, strict=True) for part in categories]
        return np.array([*inputs, *names] if self.passthrough else names, dtype=object)

    @property
    def categories_(self) -> list[NDArray[np.object_]]:
        """The combinations of each cross as tuples of values, in order; only with ``encoding="vocabulary"``."""
        if self.encoding == "hash":
            raise AttributeError("categories_ is not available with encoding='hash', which learns no combinations.")
        found = []
        for cross, tables in zip(self._positions, self._tables, strict=True):
            values = cross_categories([self._vocabularies[position] for position in cross], tables)
            found.append(np.fromiter(values, dtype=object, count=len(values)))
        return found

    def _fit(self, X: Any) -> tuple[Rows, list[NDArray[Any]]]:
        """Learn the crosses of a table; return a view of the table and the codes of its rows in each cross."""
        refuse_contradictions(self)
        rows, crosses = self._chosen(X)
        inputs = rows.names or [f"x{position}" for position in range(rows.n_columns)]
        names = cross_names(crosses, inputs)
        refuse_same_names([*inputs, *names] if self.passthrough else names)
        columns: Columns = {}
        tables: list[list[Vocabulary]] = []
        infrequent: list[Vocabulary] = []
        codes: list[NDArray[Any]] = []
        if self.encoding == "hash":
            codes = hashed_codes(rows, crosses, self.n_bins)
        else:
            columns = {position: fit_column(rows, position) for position in sorted({*chain(*crosses)})}
            for cross, name in zip(crosses, names, strict=True):
                (*before, every), all_codes = fit_cross([columns[position] for position in cross], name)
                frequent, rare, known = split_rare(every, all_codes, min_count(self.min_frequency, rows.n_rows))
                tables.append([*before, frequent])
                infrequent.append(rare)
                codes.append(known)
        n_codes = [len(table[-1]) for table in tables] or [self.n_bins] * len(crosses)
        if not self.sparse_output:
            for name, highest in zip(names, n_codes, strict=True):
                refuse_narrow_dtype(self.dtype, highest, f"the cross {name!r}")
        # From here on nothing can fail: a failed fit leaves the transformer as it was.
        validate_data(self, X, reset=True, skip_check_array=True)
        self.crosses_ = [tuple(p if rows.names is None else rows.names[p] for p in cross) for cross in crosses]
        self._positions, self._n_codes, self._tables, self._infrequent = crosses, n_codes, tables, infrequent
        self._vocabularies = {position: vocabulary for position, (vocabulary, _) in columns.items()}
        crossed = sorted({*chain(*crosses)}) if self.encoding == "hash" else []
        self._kinds = {position: sorted(kinds_of(rows.column(position))) for position in crossed}
        return rows, codes

    def _chosen(self, X: Any) -> tuple[Rows, list[Cross]]:
        """Return a view of a table and the positions of the columns of each cross."""
        rows = as_rows(X, min_columns=1 if self.crosses is not None else max(checked_degrees(self.degree)))
        if self.crosses is not None:
            return rows, chosen_crosses(self.crosses, rows)
        return rows, crosses_of_degrees(self.degree, rows.n_columns)

    def _refuse_unknown(self, rows: Rows, number: int, columns: Columns, codes: NDArray[np.int32]) -> None:
        unknown = np.flatnonzero(codes == 0)
        if not len(unknown):
            return
        cross, name = self._positions[number], self._tables[number][-1].name
        for position in cross:
            vocabulary, column = columns[position]
            vocabulary.refuse_unknown(rows.column(position), column)
        values = tuple(decoded(columns[position][0], columns[position][1][unknown[:1]])[0] for position in cross)
        raise UnknownIdError(
            f"The cross {name!r} has {values!r} in row {unknown[0]}, a combination that was not seen in fit "
            f"({len(unknown)} such row(s)). Fit on data that has it, or pass handle_unknown='oov'."
        )

    def _output(self, X: Any, rows: Rows, codes: list[NDArray[Any]]) -> Any:
        if self.sparse_output:
            return one_hot(codes, self._n_codes, self.dtype)
        stacked = np.stack(codes, axis=1, dtype=self.dtype, casting="unsafe")
        if not self.passthrough:
            return stacked
        library = get_output_config("transform", self)["dense"]
        return array_beside(rows, stacked) if library == "default" else frame_beside(X, rows, stacked, library)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags
