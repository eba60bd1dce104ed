"""Text that the docstrings of several models share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from textwrap import indent
from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type)

COLUMNS = """\
user, item, time : str, int or None, default=None
    Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. Without a time column,
    each user's rows are taken to be in chronological order.
handle_unknown : {"oov", "error"}, default="oov"
    How to handle an id that was not seen during ``fit``. If ``"oov"``, it is scored with the embedding trained for
    unknown ids. If ``"error"``, :class:`~skrec.exceptions.UnknownIdError` is raised."""

_TRAINING = """\
epochs : int, default={epochs}
    Number of passes over the rows. With early stopping, this is the maximum.
batch_size : int or "auto", default="auto"
    Number of rows per training step. If ``"auto"``, it is chosen for about 64 steps per epoch, with
    {batch}.
learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, default={rate}
    Step size of the optimizer. A schedule is called with the step number. With ``warm_start`` and ``partial_fit``,
    steps are counted from the first call to ``fit``. With ``batch_size="auto"``, an epoch has about 64 steps.
optimizer : {{"adam", "adagrad", "sgd"}}, default="adam"
    Optimizer. All of them update only the embeddings of the ids in the batch. Adam's moments of an embedding decay
    only in the steps that use it.
l1, l2 : float, default=0.0 and {l2}
    Strength of the L1 and L2 regularization. The penalties apply to the embeddings that each row looks up, including
    those of negatives, and to the kernels of the layers.{penalty}
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
n_iter_no_change : int, default=5
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
random_state : int, RandomState instance or None, default=None
    Seed of the random number generation. Pass an int for results that are reproducible bit for bit on the same machine.
verbose : int, default=0
    Verbosity: 0 is silent, 1 shows a progress bar, 2 prints one line per epoch."""


def training(
    *,
    epochs: Any = 20,
    batch: str = "at least 8 and at most 1,024 rows per step",
    dropout: Any = 0.0,
    dropped: str = "inputs of each hidden layer",
    penalty: str = "",
    **texts: Any,
) -> str:
    """Return the description of the training parameters."""
    return _TRAINING.format(epochs=epochs, batch=batch, dropout=dropout, dropped=dropped, penalty=penalty, **texts)


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
Fraction of the users whose last positive event is held out for early stopping."""

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
negative_sampling : {{"uniform", "popularity"}} or float, default="uniform"
    Distribution from which negatives are sampled: uniform over the catalogue, proportional to the number of events of
    each item, or, for a float, proportional to that number raised to the given power. ``softmax`` corrects for the
    distribution (logQ correction: Bengio & Senecal, 2008, doi:10.1109/TNN.2007.912312).
reject_positives : bool, default=False
    Whether to resample a negative that is one of the user's training positives. Only for losses whose negatives are
    sampled separately for each row."""

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


SEQUENCES = """\
max_history : int, default=200
    Maximum number of events in a history; the latest are used. The model never uses more events than the longest
    history in ``fit``, rounded up to a power of two. The history of a row consists of the stored events strictly before
    its time. Without times, a row that was in ``fit`` has the events before it as its history, and a new row has all
    stored events of its user.
embedding_dim : int, default=64
    Dimension of the embeddings of items and histories."""

SEQUENCE_LOSSES = """\
loss : {{"auto", "softmax", "log_loss", "gbce", "bpr", "bpr_max", "top1_max"}} or callable, default="auto"
    Loss to minimize. ``"softmax"`` classifies the next item among all items or among the negatives. ``"log_loss"``
    classifies the next item and each negative separately (the BCE of Kang & McAuley). ``"gbce"`` generalizes
    ``"log_loss"`` to correct the effect of negative sampling on the probabilities (Petrov & Macdonald, 2023,
    doi:10.1145/3604915.3608783). ``"bpr"`` ranks the next item above each negative. ``"bpr_max"`` and ``"top1_max"``
    rank it above the negatives weighted by their softmax scores (Hidasi & Karatzoglou, 2018,
    doi:10.1145/3269206.3271761). ``"auto"`` is ``"softmax"``.
    A callable ``f(logits, targets)`` uses Keras or TensorFlow operations and returns the losses of B rows, of shape
    (B,); their mean is weighted by ``sample_weight``. Logits and targets have shape (B, 1 + ``n_negatives``). The first
    column is the row's item, with target 1.0 (0.0 for a row that ``y`` marks as negative). The other columns are the
    items sampled for the row, with target 0.0. A sampled item that equals the row's item has the logit -1e9.
n_negatives : int, "auto" or "all", default="auto"
    Number of negatives. With ``softmax``, ``gbce``, ``bpr_max`` and ``top1_max``, the number per batch, whose rows
    share them; with ``log_loss`` and ``bpr``, the number per event. If ``"all"``, the whole catalogue is used
    (``softmax`` only). If ``"auto"``, ``softmax`` uses all items up to a catalogue of 16,384 and 1,024 negatives above,
    ``log_loss`` and ``bpr`` use 1, and the other losses use 256.
negative_sampling : {{"uniform", "popularity"}} or float, default="uniform"
    Distribution from which negatives are sampled: uniform over the catalogue, proportional to the number of events of
    each item, or, for a float, proportional to that number raised to the given power. ``softmax`` corrects for the
    distribution (logQ correction: Bengio & Senecal, 2008, doi:10.1109/TNN.2007.912312).
reject_positives : bool, default=False
    Whether to resample a negative that is one of the user's training positives. Only for ``log_loss`` and ``bpr``.
gbce_t : float, default=0.75
    Calibration of ``gbce``: 0 is plain ``log_loss``, and 1 fully corrects for the sampling."""


def sequence_model(*, architecture: str, references: str, more: str = "") -> Callable[[_Class], _Class]:
    """Append the shared sections to the docstring of a sequence model."""

    def fill(cls: _Class) -> _Class:
        defaults = {field.name: field.default for field in fields(cls)}
        trained = training(
            epochs=defaults["epochs"],
            batch=_PACKED,
            dropout=defaults["dropout"],
            dropped="outputs of each layer",
            held_out=HELD_OUT_EVENTS,
            fraction="1.0",
            auto="off, because it would cost the latest events",
            score="val_ndcg",
            rate=defaults["learning_rate"],
            l2=defaults["l2"],
        )
        parameters = [
            _ROLES.format(roles=_SEQUENCE_ROLES, unknown=_SEQUENCE_UNKNOWN),
            SEQUENCES,
            architecture,
            trained,
            SEQUENCE_LOSSES,
            more,
        ]
        fitted = FITTED.format(scores="NDCG@10 of the held-out events, ranked among the whole catalogue,")
        fitted = fitted.replace("user_embeddings_, ", "").replace("(n_users, dim) and ", "")
        sections = {
            "Parameters": "\n".join(filter(None, parameters)).replace("{{", "{").replace("}}", "}"),
            "Attributes": fitted,
            "See Also": "skrec.preprocessing.HistoryEncoder : Add the history of each row as a column.\n"
            "PopularityRanker : Popularity baseline.",
            "References": references,
            "Examples": _SESSION.format(name=cls.__name__),
        }
        body = "\n\n".join(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items())
        cls.__doc__ = f"{(cls.__doc__ or '').rstrip()}\n\n{indent(body, '    ')}\n    "
        return cls

    return fill


_PACKED = "rows that hold several histories side by side or a part of a long one, and at most 16,384 events per step"

_SEQUENCE_ROLES = """\
Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. Without a time column,
    each user's rows are taken to be in chronological order. Other columns are ignored."""

_SESSION = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> events = make_interactions(n_users=50, n_items=30, random_state=0)
>>> model = {name}(embedding_dim=16, epochs=5, random_state=0).fit(events)
>>> model.recommend([3, 5], k=2)["rank"].tolist()
[1, 2, 1, 2]
>>> items = model.items_[:3].tolist()
>>> model.recommend(history=[items], k=2)["rank"].tolist()  # an anonymous session
[1, 2]"""


def documented(**sections: str) -> Callable[[_Class], _Class]:
    """Replace ``{name}`` lines in the docstring of a class by shared text, indented like the body of a section."""

    def fill(cls: _Class) -> _Class:
        text = cls.__doc__
        if text:
            for name, section in sections.items():
                text = text.replace(f"    {{{name}}}", indent(section, "    "))
            cls.__doc__ = text
        return cls

    return fill


FIELDS = """\
categorical_features : "from_dtype", array-like of str, int or bool, callable or None, default="from_dtype"
    Categorical columns: names, positions, a boolean mask over the columns, or a callable that takes ``X`` and returns
    any of these. If ``"from_dtype"``, columns of strings, categories, objects and booleans are categorical. Columns of
    lists and of arrays are always recognized, and all other columns are numeric. Missing values are allowed in every
    kind of column.
multivalued_features : array-like of str or int, default=None
    Columns of delimited strings with several values per row (``"Drama|War"``). Columns of lists need not be named.
separator : str or None, default="|"
    Separator at which the strings of `multivalued_features` are split. Whitespace around the parts is stripped.
min_frequency : int, default=1
    Minimum number of rows of a category. Rarer categories are treated as unknown.
item_features : "auto", array-like of str or int, or None, default="auto"
    Columns that describe the item; all others describe the query. If ``"auto"``, these are the columns that are
    constant over the rows of an item but not over the rows of a user. Missing values and up to 3 % of deviating rows
    (relative to the number expected by chance) are tolerated, and items with a single row are ignored.
    ``column_roles_`` gives each decision with its reason, and a warning names the unclear columns. Only used with an
    item column.
embedding_dim : {dim_type}, default=16
    {dim}
numeric_embedding : {{"piecewise", "linear", "bag"}}, default="piecewise"
    Embedding of numeric columns. ``"piecewise"`` combines the vectors of the bins up to the value (Gorishniy et al.,
    2022, arXiv:2203.05556); ``"linear"`` multiplies a vector by the value. Numbers are standardized first, and arrays
    are scaled to a length of about 1. A missing value adds a separate vector. Values more than 10 robust standard
    deviations from the median are excluded from the standardization: if ``fit`` sees such a value repeatedly, such as
    -999, it gets its own vector; otherwise it is clipped near the limit.
    ``"bag"`` makes a single field of all columns: the sum of value times vector over the nonzero columns, each divided
    by its maximum absolute value. In factorization machines, this adds the products of all pairs of columns, as in
    libFM (Rendle, 2012, doi:10.1145/2168752.2168771). The columns of a sparse ``X`` are always treated this way, except
    that columns with a value in more than half of the rows remain numeric with ``"piecewise"`` and ``"linear"``.
    ``"bag"`` is not available in models that need users and items.
n_bins : int, default=64
    Number of quantile bins of ``"piecewise"``.
pooling : {{"mean", "sum", "max"}}, default="mean"
    How the vectors of several values are combined into one."""

_ROLES = """\
user, item, time : str, int or None, default=None
    {roles}
handle_unknown : {{"oov", "error"}}, default="oov"
    {unknown}"""

_UNKNOWN = """\
How to handle a user or item that was not seen during ``fit``. If ``"oov"``, it is scored with the embedding trained
    for unknown ids. If ``"error"``, :class:`~skrec.exceptions.UnknownIdError` is raised. Unknown categories of features
    are always scored with the embedding for unknown values."""

_SEQUENCE_UNKNOWN = """\
How to handle a user or item that was not seen during ``fit``. If ``"oov"``, the user has an empty history, and the
    item is scored with the embedding trained for unknown items. If ``"error"``,
    :class:`~skrec.exceptions.UnknownIdError` is raised."""

_TABLE_ROLES = """\
Columns of the user, the item and the time, by name or position. They are optional: without `user` and `item`, any
    columns of ids are features like all others. With both, the model can recommend items. If `time` is None, a column
    ``"timestamp"`` is the time. The time is not a feature."""

_EVENT_ROLES = """\
Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. The time is not a
    feature."""

_TASKS: dict[str, dict[str, str]] = {
    "Classifier": {
        "roles": _TABLE_ROLES,
        "held_out": HELD_OUT_ROWS,
        "fraction": "0.1",
        "auto": "on from 10,000 rows",
        "score": "val_score",
        "more": CLASSIFIER_LOSS
        + """
class_weight : dict, "balanced" or None, default=None
    Weights of the classes, as in scikit-learn.""",
        "attributes": """\
classes_ : ndarray of shape (n_classes,)
    Class labels.
""",
        "scores": "Negative log loss of the held-out rows",
        "example": """\
>>> import pandas as pd
>>> from skrec.models import {name}
>>> X = pd.DataFrame({{"city": ["Bern", "Rome"] * 50, "age": range(100)}})
>>> model = {name}(epochs=2, random_state=0).fit(X, ["no", "yes"] * 50)
>>> model.predict_proba(X[:3]).shape
(3, 2)""",
    },
    "Regressor": {
        "roles": _TABLE_ROLES,
        "held_out": HELD_OUT_ROWS,
        "fraction": "0.1",
        "auto": "on from 10,000 rows",
        "score": "val_score",
        "more": REGRESSOR_LOSS,
        "attributes": "",
        "scores": "Negative mean squared error of the held-out rows",
        "example": """\
>>> import pandas as pd
>>> from skrec.models import {name}
>>> X = pd.DataFrame({{"city": ["Bern", "Rome"] * 50, "age": range(100)}})
>>> model = {name}(epochs=2, random_state=0).fit(X, range(100))
>>> model.predict(X[:3]).shape
(3,)""",
    },
    "Ranker": {
        "roles": _EVENT_ROLES,
        "held_out": HELD_OUT_EVENTS,
        "fraction": "1.0",
        "auto": "off, because it would cost the latest events",
        "score": "val_ndcg",
        "more": "",
        "attributes": "",
        "scores": "NDCG@10 of the held-out events, ranked among the whole catalogue,",
        "example": """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> events = make_interactions(n_users=50, n_items=30, random_state=0)
>>> model = {name}(epochs=2, random_state=0).fit(events)
>>> model.recommend([3, 5], k=2)["rank"].tolist()
[1, 2, 1, 2]""",
    },
}


_EVENTS = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> X, y = make_interactions(n_users=50, n_items=30, target="{target}", random_state=0)
>>> model = {name}(epochs=2, random_state=0).fit(X, y)
>>> model.{method}(X[:3]).shape
{shape}"""

_EVENT_EXAMPLES = {
    "Classifier": {"target": "label", "method": "predict_proba", "shape": "(3, 2)"},
    "Regressor": {"target": "rating", "method": "predict", "shape": "(3,)"},
}


def field_model(
    *, architecture: str, references: str, one_dim: bool = True, factorised: bool = False, needs_ids: bool = False
) -> Callable[[_Class], _Class]:
    """Append the shared sections to the docstring of a field model."""

    def fill(cls: _Class) -> _Class:
        task = next(name for name in _TASKS if cls.__name__.endswith(name))
        texts = dict(_TASKS[task])
        if needs_ids:
            texts["roles"] = _EVENT_ROLES
            if task in _EVENT_EXAMPLES:
                texts["example"] = _EVENTS.format(name="{name}", **_EVENT_EXAMPLES[task])
        defaults = {field.name: field.default for field in fields(cls)}
        parameters = [
            _ROLES.format(roles=texts["roles"], unknown=_UNKNOWN),
            FIELDS.format(
                dim_type="int" if one_dim else "int or dict",
                dim="Dimension of the embedding of each field."
                if one_dim
                else 'Dimension of the embedding of each field. A dict, such as ``{"city": 8}``, sets it for the\n'
                "    fields that it names; the others use 16.",
            ),
            architecture,
            training(
                held_out=texts["held_out"],
                fraction=texts["fraction"],
                auto=texts["auto"],
                score=texts["score"],
                rate=defaults["learning_rate"],
                l2=defaults["l2"],
            ),
            texts["more"],
        ]
        if task == "Ranker":
            parameters.append(
                RANKING.format(
                    auto_loss="``softmax``" if factorised else "``log_loss``",
                    negatives='Number of negatives per row. ``"auto"`` is 4.'
                    if not factorised
                    else "Number of negatives. With ``softmax``, the number per batch, whose rows share them; else\n"
                    '    the number per row. If ``"all"``, the whole catalogue is used. If ``"auto"``, ``softmax``\n'
                    "    uses all items if there are at most 1,024, else 1,024; other losses use 4 per row.",
                )
            )
        fitted = FITTED.format(scores=texts["scores"])
        if task != "Ranker":
            fitted = fitted.replace("    Known ids.", "    Known ids; only with user and item columns.")
        sections = {
            "Parameters": "\n".join(filter(None, parameters)),
            "Attributes": texts["attributes"] + _FIELD_NAMES + fitted,
            "References": references,
            "Examples": texts["example"].format(name=cls.__name__),
        }
        body = "\n\n".join(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items())
        cls.__doc__ = f"{(cls.__doc__ or '').rstrip()}\n\n{indent(body, '    ')}\n    "
        return cls

    return fill


_FIELD_NAMES = """\
column_roles_ : DataFrame
    Role of each column of ``X`` (user, item, time, item feature, user feature, context, feature), its kind, and the
    reason for the decision.
field_names_ : tuple of str
    Names of the fields in the order used by the network: the query fields, then the item fields.
"""
