"""Text that the docstrings of several models share."""

from __future__ import annotations

from textwrap import indent
from typing import Any, TypeVar

from skrec._docs import documented

__all__ = [
    "CLASSES",
    "CLASSIFIER_LOSS",
    "CLASS_WEIGHT",
    "CLOSED_FORM_COLUMNS",
    "CLOSED_FORM_FITTED",
    "COLUMNS",
    "ENOUGH_EVENTS",
    "ENOUGH_ROWS_OF_FIELDS",
    "FITTED",
    "HELD_OUT_EVENTS",
    "HELD_OUT_ROWS",
    "LOG_LOSS",
    "MEAN_LOG_LOSS",
    "MEAN_SQUARED_ERROR",
    "NEGATIVE_SAMPLING",
    "OF_EVENTS",
    "OF_ROWS",
    "RANKING",
    "REGRESSOR_LOSS",
    "ROLES",
    "SQUARED_ERROR",
    "documented",
    "training",
    "with_sections",
]

_Class = TypeVar("_Class", bound=type)

COLUMNS = """\
user, item, time : str, int or None, default=None
    Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. Without a time column,
    each user's rows are taken to be in chronological order.
handle_unknown : {"oov", "error"}, default="oov"
    How to handle an id that was not seen during ``fit``. If ``"oov"``, it is scored with the embedding trained for
    unknown ids. If ``"error"``, :class:`~skrec.exceptions.UnknownIdError` is raised."""

CLOSED_FORM_COLUMNS = """\
user, item, time : str, int or None, default=None
    Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1 in an array. The time is not used.
handle_unknown : {"oov", "error"}, default="oov"
    How to handle an id that was not seen during ``fit``. If ``"oov"``, items are ranked by popularity for an unknown
    user, and for one whose items tell nothing about any other; unknown items have the score 0. If ``"error"``,
    :class:`~skrec.exceptions.UnknownIdError` is raised."""

CLOSED_FORM_FITTED = """\
users_, items_ : ndarray of shape (n_users,) and (n_items,)
    Known ids. Ids of the first fit are sorted; ids added later follow.
n_features_in_ : int
    Number of columns of ``X``.
feature_names_in_ : ndarray of str
    Names of the columns of ``X``. Defined only if all names are strings."""

ROLES = """\
user, item, time : str, int or None, default=None
    {roles}
handle_unknown : {{"oov", "error"}}, default="oov"
    {unknown}"""

_TRAINING = """\
epochs : int, default={epochs}
    Number of passes over the rows. With early stopping, this is the maximum.
batch_size : int or "auto", default="auto"
    Number of rows per training step. If ``"auto"``, it is chosen for about {steps} steps per epoch, with
    {batch}.
learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, default={rate}
    Step size of the optimizer. A schedule is called with the step number. With ``warm_start`` and ``partial_fit``,
    steps are counted from the first call to ``fit``.
optimizer : {{"adam", "adagrad", "sgd"}}, default="adam"
    Optimizer. All of them update only the embeddings of the ids in the batch. Adam's moments of an embedding decay
    only in the steps that use it.
l1, l2 : float, default=0.0 and {l2}
    Strength of the L1 and L2 regularization. The penalties apply to the embeddings that each row looks up, including
    those of negatives, and to the kernels of the layers. Negatives that a batch shares count as one row for each
    example, so that the penalty of an id grows with its number of events.{penalty}
dropout : float, default={dropout}
    Fraction of the {dropped} to drop during training.
id_dropout : float, default=0.01
    Fraction of the ids to replace by "unknown" during training. This trains the embedding used for unknown ids.
early_stopping : bool or "auto", default="auto"
    Whether to hold out part of the rows and stop training when the score on them stops improving. The weights of the
    best epoch are kept. If ``"auto"``, early stopping is {auto}.
    Rows passed as ``X_val`` enable early stopping even if this is ``False``. To train for all epochs, do not pass
    ``X_val``.
validation_fraction : float, default={fraction}
    {held_out}
n_iter_no_change : int, default={n_iter_no_change}
    Number of epochs without an improvement of the validation score after which training stops.
tol : float, default=1e-4
    Minimum increase of the validation score that counts as an improvement.
ema_momentum : float, default=0.0
    Momentum of an exponential moving average of the weights, which is updated after each epoch (Polyak & Juditsky,
    1992, doi:10.1137/0330046). If greater than 0, the averaged weights are scored and kept, while training itself uses
    the raw, un-averaged weights. A value of 0.8 averages over about the last five epochs and allows a higher
    ``learning_rate``.
warm_start : bool, default=False
    If True, reuse the weights and optimizer state of the previous call to ``fit`` as initialization; the estimator
    then stores the optimizer state. New ids are added to the vocabularies, but the interactions of users are those of
    the last call to ``fit`` only; use ``partial_fit`` to add to them. Without early stopping and with an int as
    ``random_state``, several fits on the same rows equal a single fit with the sum of their epochs, even with
    :func:`skrec.save` and :func:`skrec.load` in between. After early stopping, ``fit`` resumes from the kept weights.
callbacks : keras.callbacks.Callback or callable, list of these, or None, default=None
    Keras callbacks are called as in ``keras.Model.fit``, functions as ``f(epoch, logs)`` after every epoch. An
    exception ends the fit. The logs contain ``loss`` and, with early stopping, ``{score}``. If a callback sets
    weights at the end of training, as ``keras.callbacks.EarlyStopping(restore_best_weights=True)`` does, they are kept.
    If a fit trains several times, callbacks follow one of the trainings, see ``early_stopping``.
random_state : int, RandomState instance or None, default=None
    Seed of the random number generation. Pass an int for results that are reproducible bit for bit on the same machine.
verbose : int, default=0
    Verbosity: 0 is silent, 1 shows a progress bar, 2 prints one line per epoch."""


def training(
    *,
    epochs: Any = 20,
    steps: int = 64,
    batch: str = "at least 8 and at most 1,024 rows per step",
    n_iter_no_change: Any = 5,
    dropout: Any = 0.0,
    dropped: str = "inputs of each hidden layer",
    penalty: str = "",
    **texts: Any,
) -> str:
    """Return the description of the training parameters."""
    texts |= {"batch": batch, "dropout": dropout, "dropped": dropped, "penalty": penalty}
    return _TRAINING.format(epochs=epochs, steps=steps, n_iter_no_change=n_iter_no_change, **texts)


CLASS_WEIGHT = """\
class_weight : dict, "balanced" or None, default=None
    Weights of the classes, as in scikit-learn."""

CLASSES = """\
classes_ : ndarray of shape (n_classes,)
    Class labels."""

CLASSIFIER_LOSS = """\
loss : "log_loss" or callable, default="log_loss"
    Loss to minimize. A callable ``f(logits, targets)`` uses Keras or TensorFlow operations and returns the losses of B
    rows, of shape (B,); their mean is weighted by ``sample_weight``. With two classes, logits and targets (0.0 or 1.0)
    have shape (B,). With C classes, logits have shape (B, C), and targets of shape (B,) are class indices. Early
    stopping always uses the log loss. Pass a function defined in a module rather than a lambda, so that fits can share
    a compiled network and pickle can store the estimator."""

REGRESSOR_LOSS = """\
loss : "squared_error" or callable, default="squared_error"
    Loss to minimize. A callable ``f(logits, targets)`` uses Keras or TensorFlow operations and returns the losses of B
    rows, of shape (B,); their mean is weighted by ``sample_weight``. Both arguments have shape (B,): the predictions
    and the targets, standardized. Early stopping always uses the squared error. Pass a function defined in a module
    rather than a lambda, so that fits can share a compiled network and pickle can store the estimator."""

HELD_OUT_ROWS = """\
Fraction of the rows to hold out for early stopping: the latest rows if there is a time column, otherwise a random
    (stratified) sample."""

HELD_OUT_EVENTS = """\
Fraction of the users whose last positive event is held out for early stopping, at random. If ``"auto"``, as many
    users that the held-out events are 2% of all events, but at least 100."""

_ENOUGH_ROWS = """\
on from 10,000 rows. With 200 to 9,999 rows (of nonzero weight), no
    row is lost to validation: cross-validation chooses the number of epochs, and the network is then trained on all
    rows for as long. There are five folds below 1,000 rows and three above, stratified by the labels of a Classifier;
    with a time column, only the latest fifth of the rows is held out. The fewest epochs are chosen whose mean score is
    within one standard error of the best (Breiman et al., 1984, doi:10.1201/9781315139470). ``validation_scores_`` are
    the mean scores of the folds, and callbacks see only the training on all rows. {fields}With fewer rows, with
    ``warm_start`` and in ``partial_fit``, training takes all epochs"""

ENOUGH_ROWS_OF_FIELDS = _ENOUGH_ROWS.format(
    fields="""In such a table, all
    numbers together have at most one bin per 16 rows, and if this is less than 8 bins each, they have none, as with
    ``numeric_embedding="linear"``; a category with a single row is treated as unknown, which trains the embedding of
    unknown categories; and ``id_dropout``, unless it is 0, is at least 0.1. """
)

LOG_LOSS = "Negative log loss of the held-out rows"
SQUARED_ERROR = "Negative mean squared error of the held-out rows"
MEAN_LOG_LOSS = "Negative log loss of the held-out rows, averaged over folds,"
MEAN_SQUARED_ERROR = "Negative mean squared error of the held-out rows, averaged over folds,"

ENOUGH_EVENTS = (
    "on from 5,000 events, if at least 100 users have two or more.\n"
    "    Up to 100,000 events, a model with embeddings of users is then trained again on all events, for the number\n"
    "    of epochs that was best; ``callbacks`` follow the first of both, because only its logs contain the score"
)

OF_ROWS: dict[str, Any] = {
    "held_out": HELD_OUT_ROWS,
    "fraction": "0.1",
    "auto": "on from 10,000 rows",
    "score": "val_score",
}
OF_EVENTS: dict[str, Any] = {
    "held_out": HELD_OUT_EVENTS,
    "fraction": '"auto"',
    "auto": ENOUGH_EVENTS,
    "score": "val_ndcg",
}
"""Texts of :func:`training` for models of labels or ratings, and for Rankers."""

NEGATIVE_SAMPLING = """\
Distribution from which negatives are sampled: uniform over the catalogue, proportional to the popularity of each
    item (its number of events, or the sum of their `sample_weight`), or, for a float, proportional to the popularity
    raised to the given power. With ``"mixed"``, the items of the other rows of the batch are negatives beside
    `n_negatives` uniformly sampled ones, for a ``softmax`` whose negatives are shared. ``softmax`` corrects for the
    distribution (logQ correction: Bengio & Senecal, 2008, doi:10.1109/TNN.2007.912312). ``"auto"`` is ``"mixed"`` where
    it is possible, and otherwise ``"uniform"``."""

RANKING = """\
loss : {{"auto", "log_loss", "bpr", "softmax"}} or callable, default="auto"
    Loss to minimize. ``"log_loss"`` classifies each positive and each negative separately. ``"bpr"`` ranks the positive
    above each negative (Rendle et al., 2009, arXiv:1205.2618). ``"softmax"`` classifies the positive among all its
    negatives. ``"auto"`` is {auto_loss}.
    A callable ``f(logits, targets)`` uses Keras or TensorFlow operations and returns the losses of B rows, of shape
    (B,); their mean is weighted by ``sample_weight``. Logits and targets have shape (B, 1 + ``n_negatives``). The first
    column is the row's item, with target 1.0 (0.0 for a row that ``y`` marks as negative). The other columns are the
    items sampled for the row, with target 0.0. A sampled item that equals the row's item has the logit -1e9.
n_negatives : int, "auto" or "all", default="auto"
    {negatives}
negative_sampling : {{"auto", "uniform", "popularity", "mixed"}} or float, default="auto"
    {sampling}
reject_positives : bool, default=False
    Whether to resample a negative that is one of the user's training positives. Only for losses whose negatives are
    sampled separately for each row.""".replace("{sampling}", NEGATIVE_SAMPLING)

FITTED = """\
users_, items_ : ndarray of shape (n_users,) and (n_items,)
    Known ids. Ids of the first fit are sorted; ids added later follow.
user_embeddings_, item_embeddings_ : ndarray of shape (n_users, dim) and (n_items, dim)
    Learned embeddings.
n_iter_ : int
    Number of epochs of the last call to ``fit`` (1 after ``partial_fit``), as in scikit-learn.
loss_curve_ : list of float
    Mean loss of each epoch since the weights were initialized. With ``warm_start`` and ``partial_fit``, this includes
    the epochs of earlier calls.
validation_scores_ : list of float
    {scores} after each epoch of the last call.
    Empty without early stopping.
best_validation_score_ : float or None
    Maximum of ``validation_scores_``.
n_features_in_ : int
    Number of columns of ``X``.
feature_names_in_ : ndarray of str
    Names of the columns of ``X``. Defined only if all names are strings."""


def with_sections(cls: _Class, sections: dict[str, str]) -> _Class:
    """Append sections to the docstring of a class."""
    body = "\n\n".join(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items())
    cls.__doc__ = f"{(cls.__doc__ or '').rstrip()}\n\n{indent(body, '    ')}\n    "
    return cls
