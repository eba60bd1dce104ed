"""Docstrings of autoencoders: the sections that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

from skrec.base.docs import FITTED, HELD_OUT_EVENTS, HELD_OUT_ROWS, REGRESSOR_LOSS, ROLES, training, with_sections

_Class = TypeVar("_Class", bound=type)

_ROLES = """\
Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. The order of events
    decides only which of them are held out for early stopping. Other columns are ignored."""

_UNKNOWN = """\
How to handle a user or item that was not seen during ``fit``. If ``"oov"``, a user without events gets the most
    popular items, and an item is scored with the vector trained for unknown items. If ``"error"``,
    :class:`~skrec.exceptions.UnknownIdError` is raised."""

_HIDDEN = """\
hidden_units : tuple of int, default={hidden_units}
    Widths of the hidden layers of the encoder; those of the decoder are the same in reverse. If empty, the encoder and
    the decoder are linear up to the nonlinearity between them.
embedding_dim : int, default={embedding_dim}
    Dimension of the latent representation of a user."""

_USERS = "at least 8 and at most 1,024 users per step; a row of a batch is a user with all of the user's events"

_SESSION = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> events = make_interactions(50, 30, 500, random_state=0)
>>> model = {name}({small}embedding_dim=8, epochs=5, random_state=0).fit(events)
>>> model.recommend([3, 5], k=2)["rank"].tolist()
[1, 2, 1, 2]
>>> items = model.items_[:3].tolist()
>>> model.recommend(history=[items], k=2)["rank"].tolist()  # an anonymous user
[1, 2]"""


def autoencoder(*, architecture: str, references: str, hidden: str = _HIDDEN) -> Callable[[_Class], _Class]:
    """Append the shared sections to the docstring of an autoencoder."""

    def fill(cls: _Class) -> _Class:
        defaults = {field.name: field.default for field in fields(cls)}
        trained = training(
            epochs=defaults["epochs"],
            batch=_USERS,
            dropout=defaults["dropout"],
            dropped="items of each user (the scale of the others is increased)",
            held_out=HELD_OUT_EVENTS,
            fraction='"auto"',
            auto="used from 1,000 rows on if at least 100 users have several items. Held-out events are in the "
            "histories\n    that recommendations are based on",
            score="val_ndcg",
            rate=defaults["learning_rate"],
            l2=defaults["l2"],
            n_iter_no_change=defaults["n_iter_no_change"],
        )
        trained = trained.replace(
            '"auto", default="auto"\n    Number of rows',
            f'"auto", default={defaults["batch_size"]}\n    Number of rows',
        )
        parameters = [
            ROLES.format(roles=_ROLES, unknown=_UNKNOWN),
            hidden.format(**defaults),
            architecture.format(**defaults),
            trained,
        ]
        fitted = FITTED.format(scores="NDCG@10 of the held-out events, ranked among the whole catalogue,")
        fitted = fitted.replace("user_embeddings_, ", "").replace("(n_users, dim) and ", "")
        fitted = fitted.replace(
            "    Learned embeddings.", "    Vectors of the items in the last layer of the decoder, without the biases."
        )
        sections = {
            "Parameters": "\n".join(filter(None, parameters)),
            "Attributes": fitted,
            "See Also": "SASRecRanker : A model of the order of events.\nPopularityRanker : Popularity baseline.",
            "Notes": _NOTES,
            "References": references,
            "Examples": _SESSION.format(
                name=cls.__name__, small="hidden_units=(16,), " if "hidden_units" in defaults else ""
            ),
        }
        return with_sections(cls, sections)

    return fill


_NOTES = """\
The input of a user is the set of distinct items, each with the same value, and the length of this vector is 1. The
first layer adds the vectors of these items, so that a step takes time and memory in proportion to the events of its
users, and no matrix of users and items exists. The loss is a softmax over the whole catalogue, computed in blocks of
users: each step takes time in proportion to the users of the batch times the items. With 600 units, the two layers of
the items, with the state of the optimizer, take about 15 kB an item.

A target counts as often as the user has events with it, or as the sum of their ``sample_weight``. Rows with ``y <= 0``
are ignored. :meth:`predict` of a row, also of one in ``fit``, is based on all stored events of its user."""


_AUTOREC = """\
by : {"item", "user"}, default="item"
    Whose ratings are encoded: those of an item by all users, or those of a user of all items.
embedding_dim : int, default=500
    Number of units of the hidden layer.
activation : {"sigmoid", "tanh", "relu", "linear"}, default="sigmoid"
    Activation function of the hidden layer."""

_AUTOREC_REFERENCE = """\
S. Sedhain, A. K. Menon, S. Sanner, L. Xie. "AutoRec: Autoencoders Meet Collaborative Filtering". WWW 2015 companion,
doi:10.1145/2740908.2742726."""

_AUTOREC_PENALTY = """\
l1, l2 : float, default=0.0 and "auto"
    Strength of the L1 and L2 regularization, of the mean norm of the vectors of the users in the first and the last
    layer: those with few ratings count as much as the others. With ``by="user"``, of the vectors of the items, each in
    proportion to its ratings. ``l2="auto"`` is 0.8 by item and 0.5 by user.
"""

_AUTOREC_NOTES = """\
The published model reads ratings from 1 to 5, where 0 stands for none, and is trained on all items at once. Here,
ratings of any scale are shifted to such a distance from 0, and ``ema_momentum`` averages over the steps of
mini-batches; without either, the error is larger."""

_RATING_ROLES = """\
Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. Other columns are
    ignored."""

_RATING_UNKNOWN = """\
How to handle an id that was not seen during ``fit``. If ``"oov"``, the rating is the mean rating. If ``"error"``,
    :class:`~skrec.exceptions.UnknownIdError` is raised."""

_RATINGS = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import AutoRecRegressor
>>> events = make_interactions(50, 30, 500, random_state=0)
>>> y = (events["user_id"] + events["item_id"]) % 2 * 4 + 1.0
>>> model = AutoRecRegressor(embedding_dim=16, epochs=5, random_state=0).fit(events, y)
>>> model.predict(events[:3]).shape
(3,)"""


def autorec(cls: _Class) -> _Class:
    """Append the sections to the docstring of AutoRec."""
    defaults = {field.name: field.default for field in fields(cls)}
    trained = training(
        epochs=defaults["epochs"],
        batch="at least 8 and at most 1,024 items (or users) per step, each with all of its ratings",
        dropped="ratings of each input (the scale of the others is increased)",
        held_out=HELD_OUT_ROWS,
        fraction="0.1",
        auto="used from 10,000 rows on; the\n    network is then trained again, on all ratings and for as many epochs",
        score="val_score",
        rate=defaults["learning_rate"],
        l2=defaults["l2"],
    ).replace(
        "id_dropout : float, default=0.01\n    Fraction",
        "id_dropout : float, default=0.0\n    Not used: unknown ids have the mean rating. Fraction",
    )
    before, after = trained.index("l1, l2 :"), trained.index("dropout :")
    trained = trained[:before] + _AUTOREC_PENALTY + trained[after:]
    trained = trained.replace(
        "ema_momentum : float, default=0.0", f"ema_momentum : float, default={defaults['ema_momentum']}"
    )
    fitted = FITTED.format(scores="Negated mean squared error of the held-out ratings")
    sections = {
        "Parameters": "\n".join(
            [ROLES.format(roles=_RATING_ROLES, unknown=_RATING_UNKNOWN), _AUTOREC, trained, REGRESSOR_LOSS]
        ),
        "Attributes": fitted,
        "See Also": "NCFRegressor : Ratings by matrix factorization and neural networks.",
        "Notes": _AUTOREC_NOTES,
        "References": _AUTOREC_REFERENCE,
        "Examples": _RATINGS,
    }
    return with_sections(cls, sections)
