"""Text that the docstrings of several models share."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent
from typing import TypeVar

_Class = TypeVar("_Class", bound=type)

COLUMNS = """\
user, item, time : str, int or None, default=None
    Columns of the user, the item and the time, by name or position. By default ``"user_id"``, ``"item_id"`` and
    ``"timestamp"`` (if there is one) in a DataFrame, columns 0 and 1 and no time in an array. Without a time the
    order of a user's rows stands for it.
handle_unknown : {"oov", "error"}, default="oov"
    What to do with an id that ``fit`` did not see: score it with the row trained for unknown ids, or raise
    :class:`~skrec.exceptions.UnknownIdError`."""

TRAINING = """\
epochs : int, default=20
    Passes over the rows; the most there can be, with early stopping.
batch_size : int or "auto", default="auto"
    Rows of a step. ``"auto"``: about 64 steps an epoch, at least 8 and at most 1,024 rows a step.
learning_rate : float, default=0.003
    Step size of the optimiser.
optimizer : {{"adam", "adagrad", "sgd"}}, default="adam"
    Each updates only the embeddings of the ids in the batch; Adam's moments of an id decay when it is used.
l1, l2 : float, default=0.0 and {l2}
    Penalties on the sum of the absolute values and of the squares: of the embeddings a row looks up (negatives too),
    and of the layers' kernels.
dropout : float, default=0.0
    Share of the inputs of each hidden layer that is dropped in training.
id_dropout : float, default=0.01
    Share of the ids replaced by "unknown" in training, which trains the row that serves unknown ids.
early_stopping : bool or "auto", default="auto"
    Whether to hold out a part of the rows and stop when the score on it no longer grows; the best epoch's weights are
    kept. ``"auto"``: {auto}.
validation_fraction : float, default={fraction}
    {held_out}
n_iter_no_change : int, default=5
    Epochs without a better validation score before training stops.
tol : float, default=1e-4
    By how much a score must grow to count as better.
warm_start : bool, default=False
    Whether ``fit`` goes on from the weights of the fit before; new ids join the vocabularies.
callbacks : list of keras.callbacks.Callback or None, default=None
    Called as by ``keras.Model.fit``; the logs hold ``loss`` and, with early stopping, ``{score}``.
random_state : int, RandomState instance or None, default=None
    An int makes the fit repeat bit for bit on the same machine.
verbose : int, default=0
    0 is silent, 1 shows a progress bar, 2 prints a line an epoch."""

HELD_OUT_ROWS = """\
Share of the rows held out for early stopping: the latest where there is a time, else drawn at random (stratified)."""

HELD_OUT_EVENTS = """\
Share of the users whose last positive event is held out for early stopping."""

RANKING = """\
loss : {{"auto", "log_loss", "bpr", "softmax"}}, default="auto"
    ``log_loss``: each positive and each negative on its own. ``bpr``: the positive above each negative (Rendle et al.,
    2009, arXiv:1205.2618). ``softmax``: the positive among all its negatives. ``"auto"``: {auto_loss}.
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
    Epochs trained.
loss_curve_ : list of float
    Mean loss of each epoch.
validation_scores_ : list of float
    {scores} after each epoch; empty without early stopping.
best_validation_score_ : float or None
    Its maximum.
n_features_in_ : int
    Number of columns of ``X``.
feature_names_in_ : ndarray of str
    Their names, if all are strings."""


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
