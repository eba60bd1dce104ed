"""Times with a zone: the same instants are the same numbers, whatever the zone, the unit and the library."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from skrec._data import as_rows
from skrec._data.features.numbers import learn_scales
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import as_column
from skrec._data.tables.timestamps import time_column
from skrec.model_selection import LeaveLastOut, TemporalSplit
from skrec.models import FMClassifier
from skrec.preprocessing import HistoryEncoder

UNITS = ["s", "ms", "us", "ns"]
ZONES = ["UTC", "Europe/Zurich", "America/St_Johns", "Asia/Kathmandu"]
# With both hours that summer time makes of one, and the one that it leaves out.
SECONDS = np.array([1761438599, 1761440400, 1761444000, 1774745999, 1774746000, -(10**9), 0, 4 * 10**9])
FINEST = {"s": 0, "ms": 7 * 10**6, "us": 7 * 10**3, "ns": 7}


def instants_of(unit):
    """Return instants with digits down to the unit, as integers in it, and as nanoseconds."""
    nanoseconds = SECONDS * 10**9 + FINEST[unit]
    return nanoseconds // 10 ** (9 - 3 * UNITS.index(unit)), nanoseconds


def columns_of(stored, unit, zone):
    """Yield the same instants in all kinds of columns."""
    naive = pd.Series(stored.view(f"M8[{unit}]"))
    zoned = naive.dt.tz_localize("UTC").dt.tz_convert(zone)
    yield "naive", naive
    yield "pandas", zoned
    yield "Arrow", zoned.astype(pd.ArrowDtype(pa.timestamp(unit, zone)))
    yield "objects", zoned.astype(object)
    yield "categories", zoned.astype("category")
    if unit != "s":
        yield "polars", pl.Series(naive).cast(pl.Datetime(unit)).dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    if unit in {"s", "ms", "us"}:
        yield "datetimes", pd.Series(zoned.dt.to_pydatetime(), dtype=object)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", ZONES)
def test_an_instant_is_one_number_in_all_zones_units_and_libraries(unit, zone):
    stored, nanoseconds = instants_of(unit)
    for kind, column in columns_of(stored, unit, zone):
        frame = pl.DataFrame({"t": column}) if kind == "polars" else pd.DataFrame({"t": column})
        rows = as_rows(frame)
        assert rows.times(0).dtype == np.int64
        assert rows.times(0).tolist() == nanoseconds.tolist(), kind
        assert rows.time_kind(0) == "dates"
        numbers = time_column(column)
        assert numbers.dtype.kind == ("O" if kind in {"objects", "datetimes"} else "M"), kind


def test_objects_of_several_zones_and_units_are_instants_too():
    stamps = [pd.Timestamp(second, unit="s", tz=zone) for second, zone in zip(SECONDS[:4], ZONES, strict=True)]
    mixed = [stamps[0].as_unit("s"), stamps[1].as_unit("ns"), stamps[2].to_pydatetime(), stamps[3].tz_convert(None)]
    for times in (stamps, mixed):
        rows = as_rows(pd.DataFrame({"t": pd.Series(times, dtype=object)}))
        assert rows.times(0).tolist() == (SECONDS[:4] * 10**9).tolist()


def test_periods_are_the_instants_that_they_start_at():
    months = pd.PeriodIndex(["2026-01", "0001-02", "9999-12"], freq="M")
    found = as_rows(pd.DataFrame({"t": months})).times(0)
    days = np.array(["2026-01-01", "0001-02-01", "9999-12-01"], "M8[D]")
    assert found.tolist() == as_rows(pd.DataFrame({"t": days.astype("M8[s]")})).times(0).tolist()
    with pytest.raises(ValueError, match="time column 't' has none in row 1"):
        as_rows(pd.DataFrame({"t": pd.PeriodIndex(["2026-01", None], freq="M")})).times(0)


@pytest.mark.parametrize("zone", [None, "Europe/Zurich"])
@pytest.mark.parametrize("kind", ["pandas", "Arrow", "categories", "polars"])
def test_a_missing_time_is_named_by_its_row(zone, kind):
    times = pd.Series(SECONDS.view("M8[s]").astype("M8[us]"))
    times[2] = pd.NaT
    times = times if zone is None else times.dt.tz_localize("UTC").dt.tz_convert(zone)
    made = {
        "pandas": lambda: pd.DataFrame({"t": times}),
        "Arrow": lambda: pd.DataFrame({"t": times.astype(pd.ArrowDtype(pa.timestamp("us", zone)))}),
        "categories": lambda: pd.DataFrame({"t": times.astype("category")}),
        "polars": lambda: pl.DataFrame({"t": pl.Series(times)}),
    }
    with pytest.raises(ValueError, match="the time column 't' has none in row 2. Every row needs a time"):
        as_rows(made[kind]()).times(0)


def test_days_and_durations_of_arrow():
    days = pd.Series([dt.date(2026, 1, 2), None, dt.date(1, 1, 1)], dtype=pd.ArrowDtype(pa.date32()))
    assert as_column(days).astype("M8[D]").tolist() == [dt.date(2026, 1, 2), None, dt.date(1, 1, 1)]
    durations = pd.Series([5, None], dtype=pd.ArrowDtype(pa.duration("ms")))
    assert as_column(durations).dtype == "m8[ms]"
    assert np.isnat(as_column(durations)).tolist() == [False, True]


def test_ids_and_categories_keep_their_zone_and_are_equal_in_all_libraries():
    instants = SECONDS[2:].view("M8[s]").astype("M8[us]")
    zoned = pd.Series(instants).dt.tz_localize("UTC").dt.tz_convert("Europe/Zurich")
    columns = [
        zoned,
        zoned.dt.tz_convert("UTC"),
        zoned.astype(object),
        zoned.astype(pd.ArrowDtype(pa.timestamp("us", "Europe/Zurich"))),
        pl.Series(zoned),
    ]
    vocabulary, codes = Vocabulary.fit(zoned, name="t")
    assert vocabulary.ids.tolist() == sorted(zoned)
    for column in columns:
        assert vocabulary.encode(column).tolist() == codes.tolist()
    assert not vocabulary.encode(zoned.dt.tz_convert(None)).any()  # without a zone it is no instant


def test_features_are_the_same_numbers():
    stored, _ = instants_of("ms")
    columns = {kind: column for kind, column in columns_of(stored, "ms", "Asia/Kathmandu") if kind != "categories"}
    expected = learn_scales(as_rows(pd.DataFrame({"t": columns["naive"]})), [0])
    for kind, column in columns.items():
        frame = pl.DataFrame({"t": column}) if kind == "polars" else pd.DataFrame({"t": column})
        for found, wanted in zip(learn_scales(as_rows(frame), [0]), expected, strict=True):
            np.testing.assert_array_equal(found, wanted)
    fitted = FMClassifier(epochs=1).fit(pd.DataFrame({"t": stored}), np.arange(len(stored)) % 2)
    with pytest.raises(ValueError, match="holds dates, but held numbers in fit"):
        fitted.predict(pd.DataFrame({"t": columns["pandas"]}))


def test_histories_and_splits_are_the_same_in_every_zone():
    rng = np.random.default_rng(0)
    naive = pd.DataFrame({"user_id": rng.integers(0, 9, 80), "item_id": rng.integers(0, 9, 80)})
    naive["timestamp"] = pd.to_datetime(rng.integers(0, 10**8, 80), unit="s")
    zones = [naive["timestamp"].dt.tz_localize("UTC").dt.tz_convert(zone) for zone in ZONES]
    frames = [naive.assign(timestamp=times) for times in zones]
    lists = HistoryEncoder(remainder="drop").fit_transform(naive).tolist()
    encoder = HistoryEncoder(remainder="drop").fit(frames[0])
    for frame in frames:
        assert HistoryEncoder(remainder="drop").fit_transform(frame).tolist() == lists
        assert encoder.transform(frame).tolist() == lists
        for splitter in (LeaveLastOut(), TemporalSplit(3), TemporalSplit(2, horizon="100D")):
            for found, expected in zip(splitter.split(frame), splitter.split(naive), strict=True):
                assert all(map(np.array_equal, found, expected))
