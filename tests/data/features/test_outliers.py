"""Numbers that a few extreme values cannot flatten, and sentinels with a signal of their own."""

import numpy as np
import pandas as pd
import pytest

from skrec._data.features.fields import Fields
from skrec._data.tables.table import as_rows
from skrec.models import FMClassifier

R = np.random.default_rng(0)
X = R.normal(size=2000)


def fit(values):
    fields, encoded = Fields.fit(as_rows(pd.DataFrame({"a": values})), [0])
    return fields, encoded.numbers


def put(value, rows=20):
    return np.append(X[:-rows], np.full(rows, value))


@pytest.mark.parametrize("value", [1e5, -999.0, 1e12, -1e300])
def test_a_repeated_extreme_value_gets_a_flag_and_leaves_the_others_alone(value):
    fields, numbers = fit(put(value))
    assert fields.layout.flags == (f"a={value:g}",)
    np.testing.assert_allclose([fields.means[0], fields.scales[0]], [X[:-20].mean(), X[:-20].std()])
    np.testing.assert_allclose(numbers[:-20, 0], (X[:-20] - X[:-20].mean()) / X[:-20].std(), rtol=1e-4, atol=1e-6)
    assert not numbers[:-20, 1].any()
    assert numbers[-20:].tolist() == [[0, 1]] * 20
    again = fields.encode(as_rows(pd.DataFrame({"a": [value, value * 0.9, 0.0]}))).numbers
    assert again[:, 1].tolist() == [1, 0, 0]
    assert 9 < abs(again[1, 0]) < 20


def test_extreme_values_that_differ_are_drawn_near_in_their_order():
    fields, numbers = fit(np.append(X, [1e4, 1e6, 1e9, -1e5]))
    assert fields.layout.flags == ()
    np.testing.assert_allclose([fields.means[0], fields.scales[0]], [X.mean(), X.std()])
    assert numbers[-1, 0] < numbers[:-4, 0].min()
    assert numbers[:-4, 0].max() < numbers[-4, 0] < numbers[-3, 0] < numbers[-2, 0] < 20


@pytest.mark.parametrize(
    "values",
    [
        X,
        R.exponential(size=2000),
        R.uniform(size=2000),
        R.poisson(3, size=2000),
        R.integers(0, 2, size=2000),
        (R.random(2000) < 0.02).astype(float),
        1e12 + np.arange(2000.0),
        np.where(R.random(2000) < 0.9, 0, R.uniform(1, 5, size=2000)),
        np.full(2000, 7.0),
    ],
    ids=["normal", "exponential", "uniform", "counts", "binary", "rare", "large", "mostly zero", "constant"],
)
def test_ordinary_numbers_are_standardised_by_their_mean_and_deviation(values):
    fields, numbers = fit(values)
    deviation = np.std(values) or 1.0
    np.testing.assert_allclose([fields.means[0], fields.scales[0]], [np.mean(values), deviation])
    np.testing.assert_allclose(numbers[:, 0], (values - np.mean(values)) / deviation, rtol=1e-4, atol=1e-4)


def test_missing_values_sentinels_and_dates_have_flags_side_by_side():
    days = pd.Series(pd.date_range("2024-01-01", periods=2000).astype("datetime64[s]"))
    days[:10] = pd.Timestamp("1970-01-01").as_unit("s")
    frame = pd.DataFrame({"a": put(-999.0), "b": np.where(R.random(2000) < 0.1, np.nan, X), "day": days})
    frame.loc[:5, "a"] = np.nan
    fields, encoded = Fields.fit(as_rows(frame), range(3))
    assert fields.layout.flags == ("a_missing", "b_missing", "a=-999", "day=0")
    assert encoded.numbers[:, 3:].sum(axis=0).tolist() == [6, frame["b"].isna().sum(), 20, 10]
    for restored in (Fields.from_state(fields.to_state()), fields):
        np.testing.assert_array_equal(restored.encode(as_rows(frame)).numbers, encoded.numbers)
        assert restored.layout == fields.layout
    assert np.abs(fields.bin_edges(encoded, 8)).max() < 5  # the sentinels are in no bin


def test_fields_of_earlier_versions_keep_outliers_as_they_were():
    state = fit(X)[0].to_state()
    del state["limits"], state["sentinels"]
    fields = Fields.from_state(state)
    expected = (1e6 - X.mean()) / X.std()
    np.testing.assert_allclose(fields.encode(as_rows(pd.DataFrame({"a": [1e6]}))).numbers, [[expected]], rtol=1e-6)


def test_rows_without_weight_make_no_sentinel():
    weights = np.append(np.ones(1980), np.zeros(20))
    fields, _ = Fields.fit(as_rows(pd.DataFrame({"a": put(-999.0)})), [0], sample_weight=weights)
    assert fields.layout.flags == ()


def test_arrays_with_broken_rows_keep_their_scale():
    vectors = R.normal(size=(300, 3))
    broken = vectors.copy()
    broken[7] = 1e9
    learnt = [Fields.fit(as_rows(pd.DataFrame({"v": list(v)})), [0])[0] for v in (vectors, broken)]
    np.testing.assert_allclose(learnt[1].scales, learnt[0].scales, rtol=0.05)


@pytest.mark.parametrize("value", [1e5, -999.0, 1e12])
@pytest.mark.parametrize("embedding", ["linear", "piecewise"])
def test_models_learn_beside_sentinels(embedding, value):
    numbers, labels = put(value)[:1500], (X > 0)[:1500].astype(int)
    numbers[::30], labels[::30] = value, 1
    frame = pd.DataFrame({"a": numbers, "b": R.normal(size=1500)})
    model = FMClassifier(
        numeric_embedding=embedding, epochs=8, learning_rate=0.02, early_stopping=False, random_state=0
    )
    right = model.fit(frame[:1000], labels[:1000]).predict(frame[1000:]) == labels[1000:]
    is_sentinel = numbers[1000:] == value
    assert right[~is_sentinel].mean() > 0.93
    assert right[is_sentinel].mean() > 0.93
