"""An encoder of ids as integer codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import Rows, Vocabulary, as_rows, resolve_roles
from skrec._data.ids.values import as_objects
from skrec._data.tables.columns import side_by_side
from skrec._sklearn_compat import POSITION, StrOptions, _fit_context, get_output_config
from skrec._transaction import ReadsOneState, transaction
from skrec.preprocessing._common import MIN_FREQUENCY, min_count, read_again, refuse_narrow_dtype, split_rare

__all__ = ["IDEncoder"]


@dataclass(eq=False, repr=False, kw_only=True)
class IDEncoder(ReadsOneState, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Encode ids as integers: 1 to n for the ids seen in ``fit``, 0 for unknown and rare ones.

    Each column is encoded separately, as in :class:`~sklearn.preprocessing.OrdinalEncoder`. Use a
    :class:`~sklearn.compose.ColumnTransformer` to choose columns. Unlike in ``OrdinalEncoder``, ids may be of any
    hashable type, even mixed, the code 0 is always reserved for ids that were not seen, and millions of ids are
    encoded efficiently.

    Ids are compared by value: 1 and 1.0 are the same id, ``"1"`` is another. Numbers come first, then strings, each in
    order; then other types by the name of the type.

    A time is not an id. The column named by `time` is passed through unchanged, so that models that follow the encoder
    know the times of the events. The output for a data frame is then a data frame even without ``set_output``, because
    an array would lose the role of the column. The output for an array, whose time is at a position, is an array.

    The codes are integers. A model knows its user and item columns, but takes all other codes for numbers: pass the
    categorical columns of a feature model as its ``categorical_features`` (see the last example).

    A model that follows the encoder sees all new ids as one id, the code 0. New ids can be added neither by
    ``partial_fit`` of the last step of a Pipeline nor by ``append_history``: pass such a model the original ids, or fit
    the Pipeline again.

    Parameters
    ----------
    time : str, int or None, default=None
        Name or position of the time column, which is not encoded. If None, all columns are id columns. A model that
        follows the encoder looks for ``"timestamp"``. Any other name must be passed to the model as well:
        ``make_pipeline(IDEncoder(time="ts"), SASRecRanker(time="ts"))``.
    handle_unknown : {"oov", "error"}, default="oov"
        How ``transform`` handles an id that ``fit`` did not see: encode it as 0 ("out of vocabulary"), or raise
        :class:`~skrec.exceptions.UnknownIdError`.
    min_frequency : int or float, default=None
        Ids in fewer rows than this (an int), or in a smaller share of the rows (a float between 0 and 1), are
        encoded as 0. They count as seen: ``handle_unknown="error"`` does not raise for them. A model that follows the
        encoder sees all of them as one id, and so does ``Pipeline.score``: the more ids are merged, the better the
        score looks. To tune this parameter, use ``scoring=make_ranking_scorer("ndcg@10")``, which evaluates raw ids.
    dtype : number type, default=np.int64
        Type of the codes.

    Attributes
    ----------
    categories_ : list of (ndarray or None)
        The ids of each column, in order: the code of ``categories_[j][i]`` is ``i + 1``. None for the time column.
    infrequent_categories_ : list of (ndarray or None)
        The ids of each column that `min_frequency` excludes, in order. None if there are none.
    n_features_in_ : int
        Number of columns seen in ``fit``.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns seen in ``fit``. Only available if all of them are strings.

    See Also
    --------
    sklearn.preprocessing.OrdinalEncoder : Codes from 0, for a moderate number of categories.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.preprocessing import IDEncoder
    >>> X = pd.DataFrame({"user_id": ["ana", "bo", "ana"], "item_id": [7, 7, 30]})
    >>> encoder = IDEncoder().fit(X)
    >>> encoder.transform(X)
    array([[1, 1],
           [2, 1],
           [1, 2]])
    >>> encoder.transform(pd.DataFrame({"user_id": ["bo", "cy"], "item_id": [30, 8]}))
    array([[2, 2],
           [0, 0]])
    >>> encoder.inverse_transform([[2, 2], [0, 1]])
    array([['bo', 30],
           [None, 7]], dtype=object)
    >>> encoder.categories_
    [array(['ana', 'bo'], dtype=object), array([ 7, 30])]

    The time is passed through:

    >>> IDEncoder(time="timestamp").fit_transform(X.assign(timestamp=[1700000000, 1700000001, 1700000002]))
       user_id  item_id   timestamp
    0        1        1  1700000000
    1        2        1  1700000001
    2        1        2  1700000002

    A feature model needs to know that the codes are categories:

    >>> from sklearn.pipeline import make_pipeline
    >>> from skrec.models import FMClassifier
    >>> encoder = IDEncoder().set_output(transform="pandas")
    >>> model = FMClassifier(epochs=1, categorical_features=["city", "job"])
    >>> table = pd.DataFrame({"city": ["Bern", "Rome", "Bern"], "job": ["cook", "cook", "clerk"]})
    >>> make_pipeline(encoder, model).fit(table, [1, 0, 0])[-1].field_names_
    ('city', 'job')
    """

    time: str | int | None = None
    handle_unknown: Literal["oov", "error"] = "oov"
    min_frequency: int | float | None = None
    dtype: DTypeLike = np.int64

    warns_of_other_kinds: ClassVar[bool] = True
    """Whether ``transform`` warns of ids that are of another kind than those of ``fit``."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "time": [str, POSITION, None],
        "handle_unknown": [StrOptions({"oov", "error"})],
        "min_frequency": MIN_FREQUENCY,
        "dtype": "no_validation",
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Learn the ids of each column.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The id columns, and the time column if there is one.
        y : None
            Ignored.

        Returns
        -------
        IDEncoder
            The fitted encoder.

        Raises
        ------
        ColumnError
            If the time column does not exist.
        TypeError
            If an id is not hashable.
        ValueError
            If an id is missing or infinite, or if `dtype` cannot hold the codes.
        """
        with transaction(self) as encoder:
            encoder._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Any, y: Any = None) -> Any:  # noqa: ARG002
        """Learn the ids of each column and encode them: ``fit(X).transform(X)`` at half the cost.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The id columns, and the time column if there is one.
        y : None
            Ignored.

        Returns
        -------
        ndarray of shape (n_rows, n_features), or what ``set_output`` asks for
            The codes and the time: a data frame of the type of `X` if the time column has a name. The time column
            keeps its position.

        Raises
        ------
        ColumnError
            If the time column does not exist.
        TypeError
            If an id is not hashable.
        ValueError
            If an id is missing or infinite, or if `dtype` cannot hold the codes.
        """
        with transaction(self) as encoder:
            return encoder._output(as_rows(X), encoder._fit(X))

    def transform(self, X: Any) -> Any:
        """Encode the ids of each column.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            The id columns, and the time column if there is one.

        Returns
        -------
        ndarray of shape (n_rows, n_features), or what ``set_output`` asks for
            The codes and the time: a data frame of the type of `X` if the time column has a name. The time column
            keeps its position.

        Raises
        ------
        UnknownIdError
            If ``fit`` did not see an id and `handle_unknown` is ``"error"``.
        TypeError
            If an id is not hashable.
        ValueError
            If an id is missing or infinite, or if the columns differ from those of ``fit``.

        Examples
        --------
        >>> from skrec.preprocessing import IDEncoder
        >>> IDEncoder(handle_unknown="error").fit([["ana"], ["bo"]]).transform([["anna"]])
        Traceback (most recent call last):
        skrec.exceptions.UnknownIdError: Column 'x0' has the id 'anna' (str) in row 0, which was not seen in fit \
(1 such row(s)). The nearest known id is 'ana' (str). Correct it, fit on data that has it, or pass handle_unknown='oov'.
        """
        check_is_fitted(self)
        rows = read_again(self, X)
        columns: list[NDArray[np.int32] | None] = []
        for position, vocabulary in enumerate(self._vocabularies):
            if position == self._time:
                columns.append(None)
                continue
            values = rows.column(position)
            codes = vocabulary.encode(values)
            if self.handle_unknown == "error":
                infrequent = self._infrequent[position].encode(values)
                vocabulary.refuse_unknown(values, np.maximum(codes, infrequent))
            vocabulary.warn_other_kind(values, codes)
            columns.append(codes)
        return self._output(rows, columns)

    def inverse_transform(self, X: Any) -> NDArray[Any]:
        """Return the ids of codes.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_rows, n_features)
            Codes, as ``transform`` returns them.

        Returns
        -------
        ndarray of shape (n_rows, n_features)
            The ids, with None for the code 0, and the time. An object array unless all columns have the same numeric
            type.

        Raises
        ------
        ValueError
            If a value is not a code, or if the number of columns differs from that of ``fit``.

        Examples
        --------
        >>> from skrec.preprocessing import IDEncoder
        >>> encoder = IDEncoder().fit([["ana", 7], ["bo", 9]])
        >>> encoder.inverse_transform([[2, 1], [0, 2]])
        array([['bo', 7],
               [None, 9]], dtype=object)
        """
        check_is_fitted(self)
        rows = as_rows(X)
        if rows.n_columns != self.n_features_in_:
            raise ValueError(
                f"X has {rows.n_columns} features, but IDEncoder is expecting {self.n_features_in_} features as input."
            )
        columns = [
            _plain(rows.column(position)) if position == self._time else vocabulary.decode(rows.column(position))
            for position, vocabulary in enumerate(self._vocabularies)
        ]
        dtypes = {column.dtype for column in columns}
        ids = np.empty((rows.n_rows, rows.n_columns), dtype=dtypes.pop() if len(dtypes) == 1 else object)
        for position, column in enumerate(columns):
            ids[:, position] = column
        return ids

    @property
    def categories_(self) -> list[NDArray[Any] | None]:
        """The ids of each column, in order: the code of ``categories_[j][i]`` is ``i + 1``; None for the time."""
        return [None if at == self._time else vocabulary.ids for at, vocabulary in enumerate(self._vocabularies)]

    @property
    def infrequent_categories_(self) -> list[NDArray[Any] | None]:
        """The ids of each column that ``min_frequency`` excludes, in order; None if there are none."""
        return [vocabulary.ids if len(vocabulary) else None for vocabulary in self._infrequent]

    def _fit(self, X: Any) -> list[NDArray[np.int32] | None]:
        rows = as_rows(X)
        time = resolve_roles(rows, time=self.time, required=(), looked_for=()).time
        vocabularies, infrequent = [], []
        columns: list[NDArray[np.int32] | None] = []
        for position in range(rows.n_columns):
            name = f"x{position}" if rows.names is None else rows.names[position]
            values = rows.column(position) if position != time else np.empty(0, np.int64)
            every, codes = Vocabulary.fit(values, name=name)
            frequent, rare, codes = split_rare(every, codes, min_count(self.min_frequency, rows.n_rows))
            refuse_narrow_dtype(self.dtype, len(frequent), f"column {name!r}")
            vocabularies.append(frequent)
            infrequent.append(rare)
            columns.append(codes if position != time else None)
        # From here on nothing can fail: a failed fit leaves the encoder as it was.
        validate_data(self, X, reset=True, skip_check_array=True)
        self._vocabularies, self._infrequent, self._time = vocabularies, infrequent, time
        return columns

    def _output(self, rows: Rows, columns: list[NDArray[np.int32] | None]) -> Any:
        """Return the codes (and the time, in place of None) as an array, or as a data frame if the time has a name."""
        codes = [column.astype(self.dtype) if column is not None else None for column in columns]
        if self._time is None or rows.names is None:
            arrays = [_plain(rows.column(at)) if column is None else column for at, column in enumerate(codes)]
            return side_by_side(arrays)
        named = {name: column for name, column in zip(rows.names, codes, strict=True) if column is not None}
        library = get_output_config("transform", self)["dense"]
        if isinstance(rows.table, pd.DataFrame):
            frame = rows.table.assign(**named)
            if library != "polars":
                return frame
            import polars as pl

            return pl.from_pandas(frame)
        frame = rows.table.with_columns(
            **{name: type(rows.table.to_series(0))(column) for name, column in named.items()}
        )
        return frame.to_pandas() if library == "pandas" else frame

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags


def _plain(column: NDArray[Any]) -> NDArray[Any]:
    """Return dates as objects: NumPy would convert them to numbers if combined with other types."""
    return as_objects(column) if column.dtype.kind in "mM" else column
