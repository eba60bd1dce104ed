"""Dense features from an autoencoder of wide, sparse or mixed columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from skrec._data import OneHot, Rows, as_rows
from skrec._data.features.one_hot import object_cells
from skrec._data.features.sparse_rows import SparseRows, refuse_options
from skrec._data.tables.spelling import guessing
from skrec._sklearn_compat import Interval, StrOptions, _fit_context
from skrec._transaction import ReadsOneState, transaction
from skrec.base.docs import documented
from skrec.base.field_docs import FIELD_COLUMNS
from skrec.base.fitted_network import refuse_exported, structure_of
from skrec.base.network import NetworkRecommender
from skrec.preprocessing._autoencoder_network import build_network
from skrec.preprocessing._autoencoder_training import inputs_of, train_autoencoder

__all__ = ["AutoencoderFeatures"]

_NOT_USED = {"l1", "dropout", "id_dropout", "ema_momentum", "warm_start"}  # parameters of other networks


@documented(field_columns=FIELD_COLUMNS)
@dataclass(eq=False, repr=False, kw_only=True)
class AutoencoderFeatures(ReadsOneState, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Compress columns to a few dense numbers by a denoising autoencoder.

    A network encodes each row as `n_components` numbers, from which it reconstructs the row. In training, a part of the
    input is left out, but reconstructed too (Vincent et al., 2010). The input is a table of numbers, categories, lists
    and arrays, with missing values, or a sparse matrix of any width, which is never converted to a dense one. The codes
    are features for any estimator.

    Parameters
    ----------
    n_components : int, default=32
        Number of features to compute.
    hidden_units : sequence of int, default=(128,)
        Number of units of each hidden layer of the encoder; the decoder has the same in reverse. If empty, the encoder
        and the decoder are linear.
    activation : {"relu", "tanh", "sigmoid", "gelu", "linear"}, default="relu"
        Activation function of the hidden layers. The features themselves are linear in the last hidden layer.
    noise : float, default=0.2
        Fraction of the inputs to leave out during training: categories, values of lists, entries of a sparse matrix
        and numbers, which become their mean. The scale of the others is increased. If 0, it is a plain autoencoder.
    sparse_loss : {"auto", "binary", "multinomial", "squared_error"}, default="auto"
        Loss of the columns of a sparse matrix, see Notes. If ``"auto"``, ``"squared_error"`` if there is a negative
        value, otherwise ``"binary"``. Not used for tables.
    {field_columns}
    epochs : int, default=30
        Number of passes over the rows. With early stopping, this is the maximum.
    batch_size : int or "auto", default="auto"
        Number of rows per training step. If ``"auto"``, it is chosen for about 64 steps per epoch, with at least 8 and
        at most 1,024 rows per step, and fewer if there are more than 16,384 one-hot columns.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, default=0.001
        Step size of the optimizer. A schedule is called with the step number.
    optimizer : {"adam", "adagrad", "sgd"}, default="adam"
        Optimizer.
    l2 : float, default=0.0
        Strength of the L2 regularization of the weights.
    early_stopping : bool or "auto", default="auto"
        Whether to hold out part of the rows and stop training when their reconstruction error stops improving. The
        weights of the best epoch are kept. If ``"auto"``, early stopping is on from 10,000 rows.
    validation_fraction : float, default=0.1
        Fraction of the rows to hold out for early stopping, at random.
    n_iter_no_change : int, default=5
        Number of epochs without an improvement of the validation score after which training stops.
    tol : float, default=1e-4
        Minimum increase of the validation score that counts as an improvement.
    callbacks : keras.callbacks.Callback or callable, list of these, or None, default=None
        Keras callbacks are called as in ``keras.Model.fit``, functions as ``f(epoch, logs)`` after every epoch. The
        logs contain ``loss`` and, with early stopping, ``val_score``.
    random_state : int, RandomState instance or None, default=None
        Seed of the random number generation. Pass an int for results that are reproducible bit for bit on the same
        machine.
    verbose : int, default=0
        Verbosity: 0 is silent, 1 shows a progress bar, 2 prints one line per epoch.

    Attributes
    ----------
    n_iter_ : int
        Number of epochs.
    loss_curve_ : list of float
        Mean reconstruction error of the training rows, with noise, in each epoch.
    validation_scores_ : list of float
        Negated mean reconstruction error of the held-out rows after each epoch. Empty without early stopping.
    best_validation_score_ : float or None
        Maximum of ``validation_scores_``.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``. Defined only if all names are strings.

    See Also
    --------
    sklearn.decomposition.TruncatedSVD : Linear features of a sparse matrix.

    Notes
    -----
    The reconstruction error of a row is the sum of

    * the squared error of each number, standardized (an array counts as one number); missing numbers have no error, but
      whether a number is missing is reconstructed, with the binary cross-entropy, if ``fit`` saw missing values;
    * the cross-entropy of each category, a missing one being a category of its own;
    * the binary cross-entropy of each value of a multi-valued column;
    * for a sparse matrix, whose columns are divided by their largest absolute value: the binary cross-entropy of each
      column (``"binary"``); the values times the cross-entropy of their columns, with a softmax over all columns
      (``"multinomial"``, for counts); or the squared error of each column (``"squared_error"``). Columns with more than
      one value besides 0, and fewer zeros than other values, are numbers.

    Categories that ``fit`` did not see, or fewer than `min_frequency` times, are left out of the input and of the
    error, as are columns of a sparse matrix without values in ``fit``. Numbers are standardized as in the models of
    features: extreme values are compressed, and repeated ones, such as -999, are reconstructed as flags.

    A training step takes memory in proportion to its rows times all categories, values and columns.

    References
    ----------
    P. Vincent, H. Larochelle, I. Lajoie, Y. Bengio, P.-A. Manzagol. "Stacked Denoising Autoencoders: Learning Useful
    Representations in a Deep Network with a Local Denoising Criterion". JMLR 11, 2010.
    https://www.jmlr.org/papers/v11/vincent10a.html

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.preprocessing import AutoencoderFeatures
    >>> X = pd.DataFrame({"city": ["Bern", "Rome"] * 50, "age": [30, 60] * 50, "likes": [["war"], ["art", "war"]] * 50})
    >>> coder = AutoencoderFeatures(n_components=2, learning_rate=0.01, random_state=0).fit(X)
    >>> Z = coder.transform(X)
    >>> Z.shape, Z.dtype
    ((100, 2), dtype('float32'))
    >>> back = coder.inverse_transform(Z)
    >>> back["city"][:2].tolist(), back["age"][:2].round(-1).tolist(), list(back["likes"][0])[0]
    (['Bern', 'Rome'], [30.0, 60.0], 'war')
    >>> odd = X[:1].assign(city="Rome")  # in no row of X is Rome beside 30
    >>> bool(coder.reconstruction_error(odd)[0] > -coder.score(X))
    True
    """

    n_components: int = 32
    hidden_units: Any = (128,)
    activation: Literal["relu", "tanh", "sigmoid", "gelu", "linear"] = "relu"
    noise: float = 0.2
    sparse_loss: Literal["auto", "binary", "multinomial", "squared_error"] = "auto"
    categorical_features: Any = "from_dtype"
    multivalued_features: Any = None
    separator: str | None = "|"
    min_frequency: int = 1
    epochs: int = 30
    batch_size: int | Literal["auto"] = "auto"
    learning_rate: Any = 0.001
    optimizer: Any = "adam"
    l2: float = 0.0
    early_stopping: bool | Literal["auto"] = "auto"
    validation_fraction: float = 0.1
    n_iter_no_change: int = 5
    tol: float = 1e-4
    callbacks: Any = None
    random_state: Any = None
    verbose: int = 0

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "hidden_units": ["array-like"],
        "activation": [StrOptions({"relu", "tanh", "sigmoid", "gelu", "linear"})],
        "noise": [Interval(Real, 0, 1, closed="left")],
        "sparse_loss": [StrOptions({"auto", "binary", "multinomial", "squared_error"})],
        "categorical_features": ["array-like", StrOptions({"from_dtype"}), callable, None],
        "multivalued_features": ["array-like", None],
        "separator": [str, None],
        "min_frequency": [Interval(Integral, 1, None, closed="left")],
        **{
            name: constraint
            for name, constraint in NetworkRecommender._declared_constraints.items()
            if name not in _NOT_USED
        },
    }

    _one_hot: OneHot = field(init=False, repr=False)
    _weights: Any = field(init=False, repr=False)
    _graphs: Any = field(default=None, init=False, repr=False)
    _structure: dict[str, Any] = field(init=False, repr=False)
    n_iter_: int = field(init=False, repr=False)
    loss_curve_: list[float] = field(init=False, repr=False)
    validation_scores_: list[float] = field(init=False, repr=False)
    best_validation_score_: float | None = field(init=False, repr=False)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002
        """Train the autoencoder.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_rows, n_features)
            Columns of numbers, categories, lists or arrays; or a sparse matrix of numbers.
        y : None
            Ignored.

        Returns
        -------
        AutoencoderFeatures
            The fitted transformer.

        Raises
        ------
        ColumnError
            If a column that a parameter names does not exist, or a value of a numeric column is not a number.
        TypeError
            If a category is not hashable.
        ValueError
            If a value is infinite, a value of a sparse matrix is missing, or too few rows are left to train on.
        FloatingPointError
            If training diverges.
        """
        with transaction(self) as coder:
            coder._fit(X)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Return the codes of rows.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of shape (n_rows, n_components), float32, or what ``set_output`` asks for

        Raises
        ------
        ColumnError, TypeError, ValueError
            As in :meth:`fit`, or if the columns differ from those of ``fit``.
        """
        check_is_fitted(self)
        return np.concatenate([part for _, part in self._views("encode", self._inputs(X))])

    def inverse_transform(self, X: Any) -> Any:
        """Reconstruct the columns of rows from their codes.

        Parameters
        ----------
        X : array-like of shape (n_rows, n_components)
            Codes, as returned by :meth:`transform`.

        Returns
        -------
        DataFrame or ndarray of shape (n_rows, n_features)
            A pandas DataFrame if ``fit`` had names of columns, with the index of `X` if that is one. Otherwise an
            array, of floats if all columns are numeric, else of objects. Each cell holds, by the kind of its column:

            * numeric: the number in its unit, a float, also where the column had integers; NaN if it is likelier to be
              missing than not. Dates and durations are returned as such, dates in UTC without a time zone.
            * categorical: the likeliest category, or None if a missing value is the likeliest.
            * multi-valued: a dict with the probability of each known value, in descending order.
            * array: an array of numbers, or None if it is likelier to be missing than not.

            After ``fit`` on a sparse matrix, a dense array of float32: for each column the probability of a value
            times the largest absolute value of the column (``"binary"``), the probability of the column among all
            columns (``"multinomial"``), or the value (``"squared_error"`` and columns that are numbers). Columns
            without a value in ``fit`` are 0. The array is as large as the matrix would be if it were dense: pass part
            of the rows at a time if it is wide.

        Raises
        ------
        ValueError
            If the number of columns of `X` is not `n_components`.
        """
        check_is_fitted(self)
        codes = check_array(X, dtype=np.float32, input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {codes.shape[1]} column(s), but this transformer returns {self._n_features_out}: pass what "
                "transform returned."
            )
        one_hot, n_numbers = self._one_hot, len(self._one_hot.fields.means) + len(self._one_hot.fields.layout.flags)
        parts = []
        for _, part in self._views("decode", {"codes": codes}):
            numbers, scores = part[:, :n_numbers], part[:, n_numbers:]
            if one_hot.bag_columns is None:
                parts.append(one_hot.decode(numbers, scores))
            else:
                scaled = dict(self._structure["network"])["bag"] != "multinomial"
                parts.append([one_hot.decode_sparse(numbers, scores, n_columns=self.n_features_in_, scaled=scaled)])
        columns = [np.concatenate(pieces) for pieces in zip(*parts, strict=True)]
        if one_hot.bag_columns is not None:
            return columns[0]
        names = getattr(self, "feature_names_in_", None)
        if names is None:
            return object_cells(columns)
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(dict(zip(names, columns, strict=True)), index=index)

    def reconstruction_error(self, X: Any) -> NDArray[np.float32]:
        """Return the reconstruction error of each row, see Notes; it is large for rows that are unlike those of fit.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        check_is_fitted(self)
        errors: NDArray[np.float32] = self._network().pairs(self._inputs(X))[:, 0]
        return errors

    def score(self, X: Any, y: Any = None) -> float:  # noqa: ARG002
        """Return the negated mean reconstruction error; higher is better.

        Scores of different `sparse_loss` or `min_frequency` cannot be compared.

        Parameters
        ----------
        X : DataFrame, array-like or sparse matrix of shape (n_rows, n_features)
            The columns of ``fit``.
        y : None
            Ignored.

        Returns
        -------
        float
        """
        return -float(self.reconstruction_error(X).mean(dtype=np.float64))

    @property
    def _n_features_out(self) -> int:
        """Number of columns of the output."""
        return int(dict(self._structure["network"])["units"][-1])

    def _search_space(self, distributions: Any) -> dict[str, Any]:
        """Return the search space; the number of components is not tuned, because more of them are always better."""
        return {
            "learning_rate": distributions.FloatDistribution(3e-4, 3e-2, log=True),
            "noise": distributions.FloatDistribution(0.0, 0.5),
        }

    def __sklearn_is_fitted__(self) -> bool:
        return "_weights" in vars(self)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.string = True
        tags.input_tags.allow_nan = tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    # -- fitting and the fitted network --------------------------------------------------------------------------------

    def _fit(self, X: Any) -> None:
        refuse_exported(self)
        if issparse(X):
            given = self.categorical_features
            refuse_options(
                categorical_features=None if isinstance(given, str) else given,
                multivalued_features=self.multivalued_features,
            )
        self._one_hot, encoded = OneHot.fit(
            SparseRows(X) if issparse(X) else as_rows(X),
            categorical=self.categorical_features,
            multivalued=self.multivalued_features,
            separator=self.separator,
            min_frequency=int(self.min_frequency),
        )
        self._structure, result = train_autoencoder(self, self._one_hot, encoded)
        # From here on nothing can fail: a failed fit leaves the transformer as it was.
        validate_data(self, X, reset=True, skip_check_array=True)
        self._weights = result.weights
        self.n_iter_, self.loss_curve_ = result.n_epochs, result.loss_curve
        self.validation_scores_, self.best_validation_score_ = result.scores, result.best_score

    def _inputs(self, X: Any) -> dict[str, Any]:
        """Return the inputs of the network for rows with the columns of fit."""
        is_sparse = self._one_hot.bag_columns is not None
        if issparse(X) and not is_sparse:
            raise TypeError("X is sparse, but was dense in fit. Pass X.toarray(), or fit on sparse data.")
        rows: Rows = SparseRows(X) if issparse(X) else as_rows(X)
        with guessing(getattr(self, "feature_names_in_", None), rows.names):
            validate_data(self, X, reset=False, skip_check_array=True)
        rows = SparseRows.of_dense(rows) if is_sparse and not issparse(X) else rows
        return inputs_of(self._one_hot, self._one_hot.encode(rows))

    def _network(self) -> Any:
        """Return what computes the outputs: the network with its weights, or the graphs of an exported transformer."""
        if self._graphs is not None:
            return self._graphs
        from skrec._engine.scorer import NetworkScorer

        return NetworkScorer(structure_of(build_network, self._structure), self._weights)

    def _views(self, name: str, inputs: dict[str, Any]) -> Any:
        return self._network().views(inputs, name)
