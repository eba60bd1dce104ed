"""The clock of dates: one order, whatever the unit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from skrec._data.tables.timestamps import clock_of, instants, kind_of_times

SECOND = st.integers(-62_135_596_800, 253_402_214_400)  # the years 1 to 9999
EDGE = st.integers(8_835_955_200_000_000_000 - 2000, 8_835_955_200_000_000_000 + 2000)  # about the year 2250
NANOSECOND = st.integers(-(2**63) + 1, 2**63 - 1)


@given(st.lists(SECOND, min_size=1))
def test_seconds_of_all_years_have_their_order_in_every_unit(seconds):
    times = np.array(seconds, "datetime64[s]")
    clock = clock_of(times)
    assert (np.sign(np.subtract.outer(*[clock.astype(object)] * 2)) == np.sign(np.subtract.outer(*[seconds] * 2))).all()
    assert (clock_of(times.astype("datetime64[us]")) == clock).all()
    assert (instants(times.astype("datetime64[us]").astype(object)) == clock).all()


@given(st.lists(NANOSECOND | EDGE, min_size=1))
def test_nanoseconds_are_kept_in_the_years_of_events(values):
    times = np.array(values, "datetime64[ns]")
    near = (times >= np.datetime64("1690-01-01")) & (times < np.datetime64("2250-01-01"))
    clock = clock_of(times)
    assert (clock[near] == times.astype(np.int64)[near]).all()
    ordered = clock[np.argsort(times, kind="stable")]
    assert (ordered[1:] >= ordered[:-1]).all()  # differences might overflow


def test_kinds():
    kinds = [np.array([1]), np.array([1.5]), np.array([0], "datetime64[s]"), np.array([0], "timedelta64[s]")]
    assert [kind_of_times(values) for values in kinds] == ["numbers", "numbers", "dates", "durations"]
