"""Times that an encoder has made codes of, and dates that no role uses, are told of."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skrec
from skrec.datasets import make_interactions
from skrec.models import DINRanker, GRU4RecRanker, NCFRanker, SASRecRanker
from skrec.preprocessing import HistoryEncoder, IDEncoder

SMALL = {"embedding_dim": 8, "epochs": 1, "random_state": 0}
MODELS = [
    SASRecRanker(n_heads=2, **SMALL),
    GRU4RecRanker(**SMALL),
    DINRanker(hidden_units=(8,), attention_units=4, **SMALL),
]
IDS = ["SASRec", "GRU4Rec", "DIN"]
EVENTS = make_interactions(n_users=12, n_items=10, n_interactions=150, random_state=0)
LATER = EVENTS[:3].assign(timestamp=[EVENTS["timestamp"].iloc[-1], EVENTS["timestamp"].max() + 1, 1])


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_times_that_an_encoder_does_not_know_are_told_of(model):
    encoder = IDEncoder().set_output(transform="pandas")
    pipeline = make_pipeline(encoder, clone(model)).fit(EVENTS)
    message = r"2 of 3 row\(s\) have the time 0.*IDEncoder\(time='timestamp'\)"
    with pytest.warns(UserWarning, match=message):
        pipeline.predict(LATER)
    with pytest.warns(UserWarning, match=message):
        skrec.recommend(pipeline, LATER)
    fitted, rows = pipeline[-1], encoder.transform(LATER)
    for add in (fitted.append_history, fitted.partial_fit):
        with pytest.warns(UserWarning, match=message):
            add(rows)
    with pytest.warns(UserWarning, match=message):
        fitted.predict(rows)  # what was added does not hide it
    with pytest.warns(UserWarning, match=r"row\(s\) have the time 0"):
        clone(model).fit(encoder.transform(EVENTS), X_val=rows)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_times_that_pass_through_are_not(model):
    pipeline = make_pipeline(IDEncoder(time="timestamp"), clone(model)).fit(EVENTS)
    assert np.isfinite(pipeline.predict(LATER)).all()
    assert len(skrec.recommend(pipeline, LATER, k=1)) == 3
    encoded = make_pipeline(IDEncoder().set_output(transform="pandas"), clone(model)).fit(EVENTS)
    assert np.isfinite(encoded.predict(EVENTS)).all()  # there is no new time


def test_the_history_encoder_tells_of_them():
    encoder = IDEncoder().set_output(transform="pandas")
    pipeline = make_pipeline(encoder, HistoryEncoder()).fit(EVENTS)
    assert len(pipeline.transform(EVENTS)) == len(EVENTS)
    message = r"2 of 3 row\(s\) have the time 0.*IDEncoder\(time='timestamp'\)"
    with pytest.warns(UserWarning, match=message):
        pipeline.transform(LATER)
    with pytest.warns(UserWarning, match=message):
        pipeline[-1].append_history(encoder.transform(LATER))


DATED = EVENTS.assign(timestamp=pd.to_datetime(EVENTS["timestamp"], unit="s")).rename(columns={"timestamp": "ts"})


@pytest.mark.parametrize("estimator", [*MODELS, HistoryEncoder()], ids=[*IDS, "HistoryEncoder"])
def test_dates_that_no_role_uses_are_told_of_in_fit(estimator):
    message = "the order of a user's rows stands for it; but 'ts' holds dates.*pass time='ts'"
    with pytest.warns(UserWarning, match=message) as caught:
        make_pipeline(IDEncoder(time="ts"), clone(estimator)).fit(DATED)
    assert len(caught) == 1
    make_pipeline(IDEncoder(time="ts"), clone(estimator).set_params(time="ts")).fit(DATED)


def test_they_matter_to_models_of_histories_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NCFRanker(**SMALL).fit(DATED)
