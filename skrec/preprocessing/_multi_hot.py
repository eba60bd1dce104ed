"""Multi-hot encoding of columns that hold several values per row."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import Vocabulary, as_rows
from skrec._data.features.multivalued import warn_separator
from skrec._data.tables.columns import object_array
from skrec._docs import documented
from skrec._sklearn_compat import Interval, StrOptions, _fit_context, check_feature_names_in
from skrec._transaction import ReadsOneState, transaction
from skrec.preprocessing._bags import bags_of, refuse_unknown_values, select
from skrec.preprocessing._common import (
    INPUT_FEATURES,
    MIN_FREQUENCY,
    OTHER_FEATURES,
    min_count,
    read_again,
    refuse_sparse_frame,
)

__all__ = ["MultiHotEncoder"]


@dataclass(eq=False, repr=False, kw_only=True)
class MultiHotEncoder(ReadsOneState, TransformerMixin, BaseEstimator):
    """Encode columns of lists, such as the genres of a film, with one column of 0 and 1 for each value.

    This transformer does for columns of a table what :class:`~sklearn.preprocessing.MultiLabelBinarizer` does for
    labels, so it can be used in a :class:`~sklearn.compose.ColumnTransformer`. Each cell of a column holds a list,
    tuple, set or array of values, a string of values with separators (``"Comedy|Drama"``), or a single value. A missing
    or empty cell becomes a row of zeros. Categories are compared by value: 1 and 1.0 are the same, ``"1"`` is another.

    Parameters
    ----------
    separator : str, default="|"
        The separator between the values in a string. Empty parts are ignored, and blanks around the parts are removed.
        If None, a string is a single value.
    min_frequency : int or float, default=None
        Values in fewer rows than this (an int), or in a smaller share of the rows (a float between 0 and 1), get no
        column. They count as seen.
    max_categories : int, default=None
        Maximum number of values with an output column for each input column. The most frequent values are kept; ties
        are resolved by the order of the values.
    handle_unknown : {"ignore", "error"}, default="ignore"
        How ``transform`` handles a value that ``fit`` did not see: ignore it, or raise
        :class:`~skrec.exceptions.UnknownIdError`.
    sparse_output : bool, default=False
        If True, return a sparse matrix.
    dtype : number type, default=np.float64
        Type of the output.

    Attributes
    ----------
    categories_ : list of ndarray
        The values of each input column that have an output column, in order.
    infrequent_categories_ : list of (ndarray or None)
        The values of each input column that `min_frequency` and `max_categories` exclude, in order. None if there are
        none.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in ``fit``. Only available if all of them are strings.

    See Also
    --------
    sklearn.preprocessing.MultiLabelBinarizer : The same encoding for one list of labels.
    sklearn.preprocessing.OneHotEncoder : Encodes columns with one value per row.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.preprocessing import MultiHotEncoder
    >>> X = pd.DataFrame({"genres": ["Comedy|Drama", "Drama", None], "tags": [["new"], [], ["new", "old"]]})
    >>> encoder = MultiHotEncoder(dtype=int).set_output(transform="pandas")
    >>> encoder.fit_transform(X)
       genres_Comedy  genres_Drama  tags_new  tags_old
    0              1             1         1         0
    1              0             1         0         0
    2              0             0         1         1
    >>> encoder.inverse_transform([[1, 1, 0, 0], [0, 0, 0, 1]])
    array([[list(['Comedy', 'Drama']), list([])],
           [list([]), list(['old'])]], dtype=object)
    """

    separator: str | None = "|"
    min_frequency: int | float | None = None
    max_categories: int | None = None
    handle_unknown: Literal["ignore", "error"] = "ignore"
    sparse_output: bool = False
    dtype: DTypeLike = np.float64

    warns_of_other_kinds: ClassVar[bool] = True
    """Whether ``transform`` warns of ids that are of another kind than those of ``fit``."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "separator": [str, None],
        "min_frequency": MIN_FREQUENCY,
        "max_categories": [Interval(Integral, 1, None, closed="left"), None],
        "handle_unknown": [StrOptions({"ignore", "error"})],
        "sparse_output": ["boolean"],
        "dtype": "no_validation",
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the values of each column.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Columns of lists, of strings with separators, or of single values.
        y : None
            Ignored.

        Returns
        -------
        MultiHotEncoder
            The fitted encoder.

        Raises
        ------
        TypeError
            If a value is not hashable, such as a list within a list.
        ValueError
            If a value is infinite, or if `separator` is empty.
        """
        with transaction(self) as encoder:
            encoder._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> Any:  # noqa: ARG002
        """Learn the values of each column and encode them: ``fit(X).transform(X)`` at half the cost.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Columns of lists, of strings with separators, or of single values.
        y : None
            Ignored.

        Returns
        -------
        ndarray or csr_array of shape (n_rows, n_features_out), or what ``set_output`` asks for
            See :meth:`transform`.

        Raises
        ------
        TypeError, ValueError
            As in :meth:`fit`.
        """
        refuse_sparse_frame(self)
        with transaction(self) as encoder:
            return encoder._output(encoder._fit(X))

    def transform(self, X: Any) -> Any:
        """Encode the values of each column.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray or csr_array of shape (n_rows, n_features_out), or what ``set_output`` asks for
            1 if the row has the value, else 0, with one column for each of the :attr:`categories_` of each input
            column. A ``scipy.sparse.csr_array`` if `sparse_output` is True.

        Raises
        ------
        UnknownIdError
            If ``fit`` did not see a value and `handle_unknown` is ``"error"``.
        TypeError
            If a value is not hashable, such as a list within a list.
        ValueError
            If a value is infinite, or if the columns differ from those of ``fit``.

        Examples
        --------
        >>> from skrec.preprocessing import MultiHotEncoder
        >>> MultiHotEncoder(handle_unknown="error").fit([["Comedy|Drama"]]).transform([["Drama|Comdy"]])
        Traceback (most recent call last):
        skrec.exceptions.UnknownIdError: Column 'x0' has the value 'Comdy' (str) in row 0, which was not seen in fit \
(1 such row(s)). The nearest known value is 'Comedy' (str). Correct it, fit on data that has it, or pass \
handle_unknown='ignore'.
        """
        check_is_fitted(self)
        refuse_sparse_frame(self)
        rows = read_again(self, X)
        blocks = []
        for position, (vocabulary, infrequent) in enumerate(zip(self._vocabularies, self._infrequent, strict=True)):
            bags = bags_of(rows, position, self.separator)
            codes = vocabulary.encode(bags.values)
            if self.handle_unknown == "error":
                refuse_unknown_values(bags, np.maximum(codes, infrequent.encode(bags.values)), vocabulary)
            else:
                vocabulary.warn_other_kind(bags.values, codes, what="values")
            blocks.append(select(bags, codes, len(vocabulary)))
        return self._output(blocks)

    def inverse_transform(self, X: Any) -> NDArray[np.object_]:
        """Return the values for rows of 0 and 1.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_rows, n_features_out)
            Rows as returned by ``transform``. Any value other than 0 counts as 1.

        Returns
        -------
        ndarray of shape (n_rows, n_features) of lists
            The values of each row, in order.

        Raises
        ------
        ValueError
            If the number of columns differs from that of the output of ``transform``.

        Examples
        --------
        >>> from skrec.preprocessing import MultiHotEncoder
        >>> encoder = MultiHotEncoder().fit([["Art|War"], ["Comedy"]])
        >>> encoder.inverse_transform([[1, 0, 1], [0, 0, 0]])
        array([[list(['Art', 'War'])],
               [list([])]], dtype=object)
        """
        check_is_fitted(self)
        matrix = sparse.csr_array(check_array(X, accept_sparse="csr", dtype=np.float64, ensure_min_features=0))
        matrix.eliminate_zeros()
        widths = [len(vocabulary) for vocabulary in self._vocabularies]
        if matrix.shape[1] != sum(widths):
            raise ValueError(
                f"X has {matrix.shape[1]} column(s), but this encoder returns {sum(widths)}: pass what transform "
                "returned."
            )
        values = np.empty((matrix.shape[0], len(widths)), dtype=object)
        for position, (width, end) in enumerate(zip(widths, np.cumsum(widths), strict=True)):
            block = matrix[:, end - width : end]
            block.sort_indices()
            ids = self._vocabularies[position].ids[block.indices].tolist()
            values[:, position] = object_array([ids[a:b] for a, b in pairwise(block.indptr.tolist())])
        return values

    @documented(input_features=INPUT_FEATURES, raises=OTHER_FEATURES)
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the output columns, such as ``"genres_Comedy"``.

        Parameters
        ----------
        {input_features}

        Returns
        -------
        ndarray of shape (n_features_out,) of str objects

        Raises
        ------
        {raises}

        Examples
        --------
        >>> import pandas as pd
        >>> from skrec.preprocessing import MultiHotEncoder
        >>> encoder = MultiHotEncoder().fit(pd.DataFrame({"genres": ["Art|War", "Comedy"]}))
        >>> encoder.get_feature_names_out().tolist()
        ['genres_Art', 'genres_Comedy', 'genres_War']
        """
        check_is_fitted(self)
        inputs = check_feature_names_in(self, input_features)
        categories = zip(inputs, self.categories_, strict=True)
        return np.array([f"{name}_{value}" for name, values in categories for value in values], dtype=object)

    @property
    def categories_(self) -> list[NDArray[Any]]:
        """The values of each input column that have an output column, in order."""
        return [vocabulary.ids for vocabulary in self._vocabularies]

    @property
    def infrequent_categories_(self) -> list[NDArray[Any] | None]:
        """The values of each input column that were excluded as too rare, in order; None if there are none."""
        return [vocabulary.ids if len(vocabulary) else None for vocabulary in self._infrequent]

    def _fit(self, X: Any) -> list[sparse.csr_array]:
        if self.separator == "":
            raise ValueError("separator='' separates nothing: pass None if a string is a single value.")
        rows = as_rows(X)
        vocabularies, infrequent, blocks = [], [], []
        for position in range(rows.n_columns):
            bags = bags_of(rows, position, self.separator)
            warn_separator(rows.column(position), bags.name, self.separator)
            every, codes = Vocabulary.fit(bags.values, name=bags.name)
            block = select(bags, codes, len(every))
            counts = np.bincount(block.indices, minlength=len(every))
            keep = counts >= min_count(self.min_frequency, rows.n_rows)
            if self.max_categories is not None:
                keep[np.argsort(-counts, kind="stable")[self.max_categories :]] = False
            vocabularies.append(Vocabulary(every.ids[keep], bags.name))
            infrequent.append(Vocabulary(every.ids[~keep], bags.name))
            blocks.append(block[:, np.flatnonzero(keep)])
        # From here on nothing can fail: a failed fit leaves the encoder as it was.
        validate_data(self, X, reset=True, skip_check_array=True)
        self._vocabularies, self._infrequent = vocabularies, infrequent
        return blocks

    def _output(self, blocks: list[sparse.csr_array]) -> Any:
        matrix = sparse.hstack(blocks, format="csr", dtype=self.dtype)
        return matrix if self.sparse_output else matrix.toarray()

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags
