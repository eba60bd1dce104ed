"""Text that the docstrings of several models share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from textwrap import indent
from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type)

COLUMNS = """\
user, item, time : str, int or None, default=None
    Columns of the user, the item and the time, by name or position. By default ``"user_id"``, ``"item_id"`` and
    ``"timestamp"`` (if there is one) in a DataFrame, columns 0 and 1 and no time in an array. Without a time the
    order of a user's rows stands for it.
handle_unknown : {"oov", "error"}, default="oov"
    What to do with an id that ``fit`` did not see: score it with the row trained for unknown ids, or raise
    :class:`~skrec.exceptions.UnknownIdError`."""

_TRAINING = """\
epochs : int, default={epochs}
    Passes over the rows; the most there can be, with early stopping.
batch_size : int or "auto", default="auto"
    Rows of a step. ``"auto"``: about 64 steps an epoch, {batch}.
learning_rate : float or keras.optimizers.schedules.LearningRateSchedule, default={rate}
    Step size of the optimiser. A schedule is called with the number of the step, counted from the first ``fit`` on with
    ``warm_start`` and ``partial_fit``; with ``batch_size="auto"`` an epoch has about 64 steps.
optimizer : {{"adam", "adagrad", "sgd"}}, default="adam"
    Each updates only the embeddings of the ids in the batch; Adam's moments of an id decay when it is used.
l1, l2 : float, default=0.0 and {l2}
    Penalties on the sum of the absolute values and of the squares: of the embeddings a row looks up (negatives too),
    and of the layers' kernels.{penalty}
dropout : float, default={dropout}
    Share of the {dropped} that is dropped in training.
id_dropout : float, default=0.01
    Share of the ids replaced by "unknown" in training, which trains the row that serves unknown ids.
early_stopping : bool or "auto", default="auto"
    Whether to hold out a part of the rows and stop when the score on it no longer grows; the best epoch's weights are
    kept. ``"auto"``: {auto}. Rows given as ``X_val`` are used whatever it says, ``False`` too: to
    train all epochs, leave ``X_val`` out.
validation_fraction : float, default={fraction}
    {held_out}
n_iter_no_change : int, default=5
    Epochs without a better validation score before training stops.
tol : float, default=1e-4
    By how much a score must grow to count as better.
ema_momentum : float, default=0.0
    Weight of the past in an exponential moving average of the weights after each epoch (Polyak & Juditsky, 1992,
    doi:10.1137/0330046). Above 0 the average is what is scored and kept; training does not heed it. 0.8 spans about the
    last five epochs, and allows for a higher ``learning_rate``.
warm_start : bool, default=False
    Whether ``fit`` goes on where the fit before ended, with the optimiser's state, which the estimator then holds. New
    ids join the vocabularies, but what users did is what the rows of the last ``fit`` tell: ``partial_fit`` adds to it.
    Without early stopping, and with an int as ``random_state``, fits of the same rows equal one fit of all their
    epochs, also with :func:`skrec.save` and :func:`skrec.load` between them; after early stopping, ``fit`` goes on from
    the weights kept.
callbacks : keras.callbacks.Callback or callable, list of these, or None, default=None
    Called as by ``keras.Model.fit``, or as ``f(epoch, logs)`` after every epoch; an error ends the fit. The logs hold
    ``loss`` and, with early stopping, ``{score}``. Weights that a callback sets when training ends, as
    ``keras.callbacks.EarlyStopping(restore_best_weights=True)`` does, are those that are kept.
random_state : int, RandomState instance or None, default=None
    An int makes the fit repeat bit for bit on the same machine.
verbose : int, default=0
    0 is silent, 1 shows a progress bar, 2 prints a line an epoch."""


def training(
    *,
    epochs: Any = 20,
    batch: str = "at least 8 and at most 1,024 rows a step",
    dropout: Any = 0.0,
    dropped: str = "inputs of each hidden layer",
    penalty: str = "",
    **texts: Any,
) -> str:
    """Describe the parameters of training."""
    return _TRAINING.format(epochs=epochs, batch=batch, dropout=dropout, dropped=dropped, penalty=penalty, **texts)


CLASSIFIER_LOSS = """\
loss : "log_loss" or callable, default="log_loss"
    A function ``f(logits, targets)`` of Keras or TensorFlow operations returns the losses of B rows, of shape (B,);
    their mean is weighted by ``sample_weight``. Of two classes, logits and targets (0.0 or 1.0) have shape (B,); of C
    classes, logits have shape (B, C), and targets (B,) are the numbers of the classes. Early stopping scores by the log
    loss all the same. Use a function of a module, not a lambda: fits then share a compiled network, and pickle can
    store it."""

REGRESSOR_LOSS = """\
loss : "squared_error" or callable, default="squared_error"
    A function ``f(logits, targets)`` of Keras or TensorFlow operations returns the losses of B rows, of shape (B,);
    their mean is weighted by ``sample_weight``. Both have shape (B,): predictions and ratings, standardised. Early
    stopping scores by the squared error all the same. Use a function of a module, not a lambda: fits then share a
    compiled network, and pickle can store it."""

HELD_OUT_ROWS = """\
Share of the rows held out for early stopping: the latest where there is a time, else drawn at random (stratified)."""

HELD_OUT_EVENTS = """\
Share of the users whose last positive event is held out for early stopping."""

RANKING = """\
loss : {{"auto", "log_loss", "bpr", "softmax"}} or callable, default="auto"
    ``log_loss``: each positive and each negative on its own. ``bpr``: the positive above each negative (Rendle et al.,
    2009, arXiv:1205.2618). ``softmax``: the positive among all its negatives. ``"auto"``: {auto_loss}.
    A function ``f(logits, targets)`` of Keras or TensorFlow operations returns the losses of B rows, of shape (B,);
    their mean is weighted by ``sample_weight``. Logits and targets have shape (B, 1 + ``n_negatives``): first the row's
    item, with the target 1.0 (0.0 for a row that ``y`` marks as negative), then the items drawn for the row, with
    the target 0.0. A drawn item that is the row's own has the logit -1e9.
n_negatives : int, "auto" or "all", default="auto"
    {negatives}
negative_sampling : {{"uniform", "popularity"}} or float, default="uniform"
    How negatives are drawn from the catalogue: all items alike, in proportion to their events, or to their events to
    the power given. ``softmax`` corrects for it (logQ correction: Bengio & Senecal, 2008,
    doi:10.1109/TNN.2007.912312).
reject_positives : bool, default=False
    Whether to draw anew where a negative is one of the user's training positives; for negatives drawn row by row."""

FITTED = """\
users_, items_ : ndarray of shape (n_users,) and (n_items,)
    Known ids; those of the first fit are sorted, later ones follow.
user_embeddings_, item_embeddings_ : ndarray of shape (n_users, dim) and (n_items, dim)
    What was learnt of each.
n_iter_ : int
    Epochs of the last call of ``fit`` (or ``partial_fit``: 1), as in scikit-learn.
loss_curve_ : list of float
    Mean loss of each epoch since the weights were drawn: with ``warm_start`` and ``partial_fit`` of earlier calls too.
validation_scores_ : list of float
    {scores} after each epoch of the last call; empty without early stopping.
best_validation_score_ : float or None
    Its maximum.
n_features_in_ : int
    Number of columns of ``X``.
feature_names_in_ : ndarray of str
    Their names, if all are strings."""


SEQUENCES = """\
max_history : int, default=200
    Events of the past that are looked at: the latest; no more than the longest history of ``fit`` has, rounded up to a
    power of two. What a row may see: the stored events strictly before its time;
    without times, a row that was in ``fit`` sees what came before it, and a new one sees all.
embedding_dim : int, default=64
    Width of the vectors of items and of histories."""

SEQUENCE_LOSSES = """\
loss : {{"auto", "softmax", "log_loss", "gbce", "bpr", "bpr_max", "top1_max"}} or callable, default="auto"
    ``softmax``: the next item among all, or among the negatives. ``log_loss``: the next item and each negative on its
    own (the BCE of Kang & McAuley). ``gbce``: the same, generalised for what the sampling of negatives does to
    probabilities (Petrov & Macdonald, 2023, doi:10.1145/3604915.3608783). ``bpr``: the next item above each negative.
    ``bpr_max``, ``top1_max``: above negatives by their share of a softmax (Hidasi & Karatzoglou, 2018,
    doi:10.1145/3269206.3271761). ``"auto"``: softmax.
    A function ``f(logits, targets)`` of Keras or TensorFlow operations returns the losses of B rows, of shape (B,);
    their mean is weighted by ``sample_weight``. Logits and targets have shape (B, 1 + ``n_negatives``): first the row's
    item, with the target 1.0 (0.0 for a row that ``y`` marks as negative), then the items drawn for the row, with
    the target 0.0. A drawn item that is the row's own has the logit -1e9.
n_negatives : int, "auto" or "all", default="auto"
    Negatives: with ``softmax``, ``gbce``, ``bpr_max`` and ``top1_max`` of a batch, which shares them; with ``log_loss``
    and ``bpr`` of each event. ``"all"``: the whole catalogue (``softmax`` only). ``"auto"``: with ``softmax`` all up to
    16,384 items, else 1,024; with ``log_loss`` and ``bpr`` 1; else 256.
negative_sampling : {{"uniform", "popularity"}} or float, default="uniform"
    How negatives are drawn from the catalogue: all items alike, in proportion to their events, or to their events to
    the power given. ``softmax`` corrects for it (logQ correction: Bengio & Senecal, 2008,
    doi:10.1109/TNN.2007.912312).
reject_positives : bool, default=False
    Whether to draw anew where a negative is one of the user's training positives; for ``log_loss`` and ``bpr``.
gbce_t : float, default=0.75
    Calibration of ``gbce``: 0 is plain ``log_loss``, 1 undoes the sampling."""


def sequence_model(*, architecture: str, references: str, more: str = "") -> Callable[[_Class], _Class]:
    """Write the docstring of a sequence model after its first paragraphs."""

    def fill(cls: _Class) -> _Class:
        defaults = {field.name: field.default for field in fields(cls)}
        trained = training(
            epochs=defaults["epochs"],
            batch=_PACKED,
            dropout=defaults["dropout"],
            dropped="numbers after each layer",
            held_out=HELD_OUT_EVENTS,
            fraction="1.0",
            auto="no, for it costs the latest events",
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
        fitted = FITTED.format(scores="NDCG@10 of the held-out events among the whole catalogue")
        fitted = fitted.replace("user_embeddings_, ", "").replace("(n_users, dim) and ", "")
        sections = {
            "Parameters": "\n".join(filter(None, parameters)).replace("{{", "{").replace("}}", "}"),
            "Attributes": fitted,
            "See Also": "skrec.preprocessing.HistoryEncoder : The past of each row as a column, for any other model.\n"
            "PopularityRanker : The baseline to beat.",
            "References": references,
            "Examples": _SESSION.format(name=cls.__name__),
        }
        body = "\n\n".join(f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items())
        cls.__doc__ = f"{(cls.__doc__ or '').rstrip()}\n\n{indent(body, '    ')}\n    "
        return cls

    return fill


_PACKED = (
    "of rows that each hold several histories side by side, or a part of a\n    long one; at most 16,384 events a step"
)

_SEQUENCE_ROLES = """\
Columns of the user, the item and the time, by name or position. By default ``"user_id"``, ``"item_id"`` and
    ``"timestamp"`` (if there is one) in a DataFrame, columns 0 and 1 and no time in an array. Without a time the rows
    of a user are in order of time. Other columns are not looked at."""

_SESSION = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> events = make_interactions(n_users=50, n_items=30, random_state=0)
>>> model = {name}(embedding_dim=16, epochs=5, random_state=0).fit(events)
>>> model.recommend([3, 5], k=2)["rank"].tolist()
[1, 2, 1, 2]
>>> items = model.items_[:3].tolist()
>>> model.recommend(history=[items], k=2)["rank"].tolist()  # a session of nobody known
[1, 2]"""


def documented(**sections: str) -> Callable[[_Class], _Class]:
    """Fill ``{name}`` lines of a class's docstring with shared text, indented as a section's body is."""

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
    Columns to treat as categories: names, positions, a mask over the columns, or a function of ``X`` that returns
    either. ``"from_dtype"``: strings, categories, objects and booleans. Lists and arrays are recognised in any case,
    and all other columns are numbers. Missing values are allowed in every kind of column.
multivalued_features : array-like of str or int, default=None
    Columns of delimited strings, several values a row (``"Drama|War"``). Columns of lists need not be named.
separator : str or None, default="|"
    Where the strings of `multivalued_features` are split; blanks around the parts do not count.
min_frequency : int, default=1
    Categories in fewer rows count as unknown.
item_features : "auto", array-like of str or int, or None, default="auto"
    Columns that belong to the item; all others belong to the query. ``"auto"``: those that are the same in all rows of
    an item and not in those of a user; missing values and up to 3 % of deviating rows (of those that chance would make
    deviate) are tolerated, and rows of items with a single row do not count. ``column_roles_`` says what was decided
    and why, and a warning names what is unclear. Only with an item column.
embedding_dim : {dim_type}, default=16
    {dim}
numeric_embedding : {{"piecewise", "linear", "bag"}}, default="piecewise"
    How a number becomes a vector: by the vectors of the bins up to it (Gorishniy et al., 2022, arXiv:2203.05556), or
    as the number times a vector. Numbers are standardised first, and so are arrays, to a length of about 1; where they
    are missing, a vector of its own is added. Values more than 10 robust standard deviations off the median do not
    enter the standardisation: those that ``fit`` sees repeatedly, such as -999, get a vector of their own, others are
    moved close to the limit.
    ``"bag"``: all columns together are one field, the
    sum of value times vector over the columns that are not 0, each divided by its largest absolute value; to
    factorisation machines it adds the products of all pairs of columns, as libFM does (Rendle, 2012,
    doi:10.1145/2168752.2168771). So are the columns of a sparse ``X`` read, whatever is passed here, except that
    those with a value in more than half of the rows stay numbers with ``"piecewise"`` and ``"linear"``. Not for models
    that need users and items.
n_bins : int, default=64
    Bins of ``"piecewise"``, at the quantiles.
pooling : {{"mean", "sum", "max"}}, default="mean"
    How the vectors of several values become one."""

_ROLES = """\
user, item, time : str, int or None, default=None
    {roles}
handle_unknown : {{"oov", "error"}}, default="oov"
    {unknown}"""

_UNKNOWN = """\
What to do with a user or item that ``fit`` did not see: score it with the row trained for unknown ones, or raise
    :class:`~skrec.exceptions.UnknownIdError`. Unknown categories of features are always scored so."""

_SEQUENCE_UNKNOWN = """\
What to do with a user or item that ``fit`` did not see: take the user for one without a history, and the item for an
    unknown one, which has a trained row of its own; or raise :class:`~skrec.exceptions.UnknownIdError`."""

_TABLE_ROLES = """\
Columns of the user, the item and the time, by name or position. Any table will do: without `user` and `item` there are
    none, and their columns, if any, are features like others. With both, items can be recommended. A column
    ``"timestamp"`` is the time if none is named; the time is no feature."""

_EVENT_ROLES = """\
Columns of the user, the item and the time, by name or position. By default ``"user_id"``, ``"item_id"`` and
    ``"timestamp"`` (if there is one) in a DataFrame, columns 0 and 1 and no time in an array. The time is not a
    feature."""

_TASKS: dict[str, dict[str, str]] = {
    "Classifier": {
        "roles": _TABLE_ROLES,
        "held_out": HELD_OUT_ROWS,
        "fraction": "0.1",
        "auto": "with 10,000 rows or more",
        "score": "val_score",
        "more": CLASSIFIER_LOSS
        + """
class_weight : dict, "balanced" or None, default=None
    Weights of the classes, as in scikit-learn.""",
        "attributes": """\
classes_ : ndarray of shape (n_classes,)
    Labels.
""",
        "scores": "Minus the log loss of the held-out rows",
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
        "auto": "with 10,000 rows or more",
        "score": "val_score",
        "more": REGRESSOR_LOSS,
        "attributes": "",
        "scores": "Minus the mean squared error of the held-out rows",
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
        "auto": "no, for it costs the latest events",
        "score": "val_ndcg",
        "more": "",
        "attributes": "",
        "scores": "NDCG@10 of the held-out events among the whole catalogue",
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
    """Write the docstring of a model of features after its first paragraph."""

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
                dim="Width of the vector of each field."
                if one_dim
                else "Width of the vector of each field; a dict gives one to each field that it names, and 16 to the\n"
                '    others: ``{"city": 8}``.',
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
                    negatives='Negatives of a row. ``"auto"``: 4.'
                    if not factorised
                    else 'Negatives of a batch, which shares them, with ``softmax``; else of a row. ``"all"``: the\n'
                    '    whole catalogue. ``"auto"``: all up to 1,024 items, else 1,024; 4 a row.',
                )
            )
        fitted = FITTED.format(scores=texts["scores"])
        if task != "Ranker":
            fitted = fitted.replace("    Known ids;", "    With user and item columns: known ids;")
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
    What each column of ``X`` was taken for (user, item, time, item feature, user feature, context, feature), its kind,
    and why.
field_names_ : tuple of str
    Names of the fields, in the order that the network holds them: the query's, then the item's.
"""
