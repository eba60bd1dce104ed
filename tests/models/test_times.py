"""Times that an encoder has made codes of, and dates that no role uses, are told of."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import skrec
from skrec.datasets import make_interactions
from skrec.exceptions import ColumnError
from skrec.model_selection import LeaveLastOut
from skrec.models import DINRanker, FMClassifier, FMRanker, GRU4RecRanker, NCFRanker, SASRecRanker
from skrec.preprocessing import HistoryEncoder, IDEncoder

SMALL = {"embedding_dim": 8, "epochs": 1, "random_state": 0}
MODELS = [
    SASRecRanker(n_heads=2, **SMALL),
    pytest.param(GRU4RecRanker(**SMALL), marks=pytest.mark.exhaustive),
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
    message = "the order of a user's rows is taken .*column 'ts' holds dates.*pass time='ts'"
    with pytest.warns(UserWarning, match=message) as caught:
        make_pipeline(IDEncoder(time="ts"), clone(estimator)).fit(DATED)
    assert len(caught) == 1
    make_pipeline(IDEncoder(time="ts"), clone(estimator).set_params(time="ts")).fit(DATED)


def test_they_matter_to_models_of_histories_alone():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        NCFRanker(**SMALL).fit(DATED)


AS_DATES = DATED.rename(columns={"ts": "timestamp"})
MESSAGE = "The time column 'timestamp' holds {}, but in fit it held {}: convert it"
FIELDS = FMRanker(**SMALL)


@pytest.mark.parametrize("model", [*MODELS, FIELDS], ids=[*IDS, "FM"])
def test_times_of_another_kind_than_in_fit_are_refused(model, tmp_path):
    for there, here, kinds in ((EVENTS, AS_DATES, ("dates", "numbers")), (AS_DATES, EVENTS, ("numbers", "dates"))):
        fitted = clone(model).fit(there)
        skrec.save(fitted, tmp_path / "model.skrec")
        before = fitted.predict(there[:4])
        for copy in (fitted, pickle.loads(pickle.dumps(fitted)), skrec.load(tmp_path / "model.skrec")):
            for use in (copy.predict, copy.recommend, getattr(copy, "append_history", copy.partial_fit)):
                with pytest.raises(ColumnError, match=MESSAGE.format(*kinds)):
                    use(here[:4])
            with pytest.raises(ColumnError, match=MESSAGE.format(*kinds)):
                copy.partial_fit(here)
            with pytest.raises(ColumnError, match=MESSAGE.format(*kinds)):
                copy.set_params(warm_start=True).fit(here)
        with pytest.raises(ColumnError, match=MESSAGE.format(*kinds)) as caught:
            clone(model).fit(there, X_val=here[:20])
        assert "X_val" in "".join(caught.value.__notes__)
        assert np.array_equal(fitted.predict(there[:4]), before)
        fitted.set_params(warm_start=False).fit(here)  # a fit afresh
        assert np.isfinite(fitted.predict(here[:4])).all()


def test_a_fitted_model_without_the_kind_takes_both():
    fitted = clone(MODELS[0]).fit(EVENTS)
    del fitted._time_kind  # as in the files of older versions
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert len(fitted.predict(AS_DATES[:4])) == 4


def test_units_and_zones_are_the_same_kind():
    fitted = clone(MODELS[0]).fit(AS_DATES)
    expected = fitted.predict(AS_DATES[:4])
    times = AS_DATES["timestamp"]
    for same in (times.astype("datetime64[ns]"), times.dt.tz_localize("UTC"), times.dt.to_pydatetime()):
        assert np.array_equal(fitted.predict(AS_DATES.assign(timestamp=same)[:4]), expected)


def test_models_that_keep_no_times_take_any_later():
    assert len(NCFRanker(**SMALL).fit(EVENTS).predict(AS_DATES[:4])) == 4
    features = EVENTS.rename(columns={"user_id": "a", "item_id": "b"})
    table = FMClassifier(**SMALL).fit(features, np.arange(len(EVENTS)) % 2)
    assert len(table.predict(features.assign(timestamp=AS_DATES["timestamp"])[:4])) == 4


def test_a_date_far_away_is_the_latest():
    days = pd.to_datetime(["2020-01-01", "2021-01-01", "9999-12-31"]).as_unit("us")
    events = pd.DataFrame({"user_id": [1, 1, 1] * 5, "item_id": [1, 2, 3] * 5, "timestamp": [*days] * 5})
    events["user_id"] = np.repeat(np.arange(5), 3)
    encoded = HistoryEncoder(remainder="drop").fit_transform(events)
    assert encoded[:3, 0].tolist() == [[], [1], [1, 2]]
    held_out = next(LeaveLastOut().split(events))[1]
    assert held_out.tolist() == [2, 5, 8, 11, 14]
    model = SASRecRanker(n_heads=2, early_stopping=False, **SMALL).fit(events.sample(frac=1, random_state=0))
    assert model.explain([0], [2])["past_item"].sort_values().tolist() == [1, 2, 3]
    assert model.explain([0], [2]).set_index("age")["past_item"].to_dict() == {1: 3, 2: 2, 3: 1}


@pytest.mark.parametrize("estimator", [*MODELS, HistoryEncoder()], ids=[*IDS, "HistoryEncoder"])
def test_events_of_one_instant_have_no_past(estimator):
    with pytest.warns(UserWarning, match="one and the same time in column 'timestamp'.*leave the column out") as caught:
        clone(estimator).fit(EVENTS.assign(timestamp=0))
    assert len(caught) == 1
    clone(estimator).fit(EVENTS.drop(columns="timestamp"))
