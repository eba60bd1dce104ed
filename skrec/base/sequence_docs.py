"""Docstrings of sequence models: the sections that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import TypeVar

from skrec.base.docs import ENOUGH_EVENTS, FITTED, HELD_OUT_EVENTS, NEGATIVE_SAMPLING, ROLES, training, with_sections

_Class = TypeVar("_Class", bound=type)

SEQUENCES = """\
max_history : int, default=200
    Maximum number of events in a history; the latest are used. The model never uses more events than the longest
    history in ``fit``, rounded up to a power of two. The history of a row consists of the stored events strictly before
    its time. Without times, a row that was in ``fit`` has the events before it as its history, and a new row has all
    stored events of its user.
embedding_dim : int, default=64
    Dimension of the embeddings of items and histories."""

SEQUENCE_LOSSES = f"""\
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
    (``softmax`` only). If ``"auto"``, ``softmax`` uses all items up to a catalogue of 16,384 and 4,096 negatives above,
    ``log_loss`` and ``bpr`` use 1, and the other losses use 256.
negative_sampling : {{"auto", "uniform", "popularity", "mixed"}} or float, default="auto"
    {NEGATIVE_SAMPLING}
reject_positives : bool, default=False
    Whether to resample a negative that is one of the user's training positives. Only for ``log_loss`` and ``bpr``.
gbce_t : float, default=0.75
    Calibration of ``gbce``: 0 is plain ``log_loss``, and 1 fully corrects for the sampling."""

_SEQUENCE_ROLES = """\
Columns of the user, the item and the time, by name or position. The default is ``"user_id"``, ``"item_id"`` and,
    if present, ``"timestamp"`` in a DataFrame; columns 0 and 1, without a time, in an array. Without a time column,
    each user's rows are taken to be in chronological order. Other columns are ignored."""

_SEQUENCE_UNKNOWN = """\
How to handle a user or item that was not seen during ``fit``. If ``"oov"``, the user has an empty history, and the
    item is scored with the embedding trained for unknown items. If ``"error"``,
    :class:`~skrec.exceptions.UnknownIdError` is raised."""

_PACKED = (
    "rows that hold several histories side by side or a part of a long one: 256 to 4,096 events per step, but at\n"
    "    least 16 histories"
)

_SESSION = """\
>>> from skrec.datasets import make_interactions
>>> from skrec.models import {name}
>>> events = make_interactions(50, 30, 500, random_state=0)
>>> model = {name}(embedding_dim=16, epochs=5, random_state=0).fit(events)
>>> model.recommend([3, 5], k=2)["rank"].tolist()
[1, 2, 1, 2]
>>> items = model.items_[:3].tolist()
>>> model.recommend(history=[items], k=2)["rank"].tolist()  # an anonymous session
[1, 2]"""


def sequence_model(*, architecture: str, references: str, more: str = "") -> Callable[[_Class], _Class]:
    """Append the shared sections to the docstring of a sequence model."""

    def fill(cls: _Class) -> _Class:
        defaults = {field.name: field.default for field in fields(cls)}
        trained = training(
            epochs=defaults["epochs"],
            steps=512,
            batch=_PACKED,
            n_iter_no_change=defaults["n_iter_no_change"],
            dropout=defaults["dropout"],
            dropped="outputs of each layer",
            held_out=HELD_OUT_EVENTS,
            fraction='"auto"',
            auto=ENOUGH_EVENTS,
            score="val_ndcg",
            rate=defaults["learning_rate"],
            l2=defaults["l2"],
        )
        parameters = [
            ROLES.format(roles=_SEQUENCE_ROLES, unknown=_SEQUENCE_UNKNOWN),
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
        return with_sections(cls, sections)

    return fill
