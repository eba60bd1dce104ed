"""The way of ids through a Pipeline is kept from call to call, and found anew when a part of it is fitted again."""

import gc
import weakref

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

import skrec
from skrec._recommend._id_path import id_path
from skrec._recommend._unwrap import unwrap
from skrec.models import PopularityRanker
from skrec.preprocessing import IDEncoder

ENCODERS = {
    "IDEncoder": IDEncoder,
    "OrdinalEncoder": OrdinalEncoder,
    "ColumnTransformer": lambda: ColumnTransformer([("ids", IDEncoder(), ["user_id", "item_id"])]),
}


def events(*pairs):
    return pd.DataFrame(pairs, columns=["user_id", "item_id"])


FIRST = events(("ann", "x"), ("bob", "y"), ("bob", "x"))
SECOND = events(("ann", "p"), ("bob", "q"), ("bob", "p"))  # the same codes, other items


@pytest.mark.parametrize("name", ENCODERS)
def test_a_fit_of_any_part_is_noticed(name):
    encoder, model = ENCODERS[name](), PopularityRanker()
    pipeline = make_pipeline(encoder, model).fit(FIRST)
    assert skrec.recommend(pipeline, ["ann"])["item_id"].tolist() == ["y"]
    assert id_path(unwrap(pipeline)) is id_path(unwrap(pipeline))
    pipeline.fit(SECOND)
    assert skrec.recommend(pipeline, ["ann"])["item_id"].tolist() == ["q"]
    encoder.fit(FIRST)  # the model stays: it has the same codes
    assert skrec.recommend(pipeline, ["ann"])["item_id"].tolist() == ["y"]
    model.fit(np.asarray(encoder.transform(FIRST[:1])))
    assert skrec.recommend(pipeline, ["bob"], exclude_seen=False)["item_id"].tolist() == ["x"]


def test_new_items_of_partial_fit_are_noticed():
    more = events(("cy", "z"))
    encoder, model = IDEncoder().fit(pd.concat([FIRST, more])), PopularityRanker()
    pipeline = make_pipeline(encoder, model.partial_fit(encoder.transform(FIRST)))
    assert skrec.recommend(pipeline, ["ann"])["item_id"].tolist() == ["y"]
    model.partial_fit(encoder.transform(more))
    assert skrec.recommend(pipeline, ["ann"])["item_id"].tolist() == ["y", "z"]


def test_a_model_behind_two_encoders_is_not_confused():
    model = PopularityRanker()
    first = make_pipeline(IDEncoder(), model).fit(FIRST)
    second = make_pipeline(IDEncoder(), model).fit(SECOND)
    for pipeline, item in ((first, "y"), (second, "q"), (first, "y")):
        assert skrec.recommend(pipeline, ["ann"])["item_id"].tolist() == [item]


def test_what_is_kept_does_not_keep_the_model_alive():
    pipeline = make_pipeline(IDEncoder(), PopularityRanker()).fit(FIRST)
    skrec.recommend(pipeline, ["ann"])
    model = weakref.ref(pipeline[-1])
    del pipeline
    gc.collect()
    assert model() is None


class Meddling(IDEncoder):
    """An encoder that does something else first, as another thread might."""

    def transform(self, X):
        for action in vars(self).pop("actions_", []):
            action()
        return super().transform(X)


def test_a_request_works_on_one_state_of_the_model():
    encoder, model = Meddling(), PopularityRanker()
    pipeline = make_pipeline(encoder, model).fit(
        events(("ann", "x"), ("bob", "y"), ("cy", "y"), ("cy", "x"), ("di", "z"))
    )
    more = encoder.transform(events(*[(user, "z") for user in ("ann", "bob", "cy")]))
    skrec.recommend(pipeline, ["di"])
    encoder.actions_ = [lambda: model.partial_fit(more)]  # once the request has begun
    during = skrec.recommend(pipeline, ["ann"], 1, exclude_seen=False)
    after = skrec.recommend(pipeline, ["ann"], 1, exclude_seen=False)
    assert (during["item_id"].tolist(), during["score"].tolist()) == (["x"], [2])
    assert (after["item_id"].tolist(), after["score"].tolist()) == (["z"], [4])
