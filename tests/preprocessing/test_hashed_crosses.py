"""Codes of crosses by hash: what they are, and that they never change."""

import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import skrec
from skrec.preprocessing import FeatureCrosses


def murmur(key, seed=0):
    """MurmurHash3 (x86, 32 bits), as its author's C++ has it."""
    mask = 0xFFFFFFFF

    def rotate(x, r):
        return ((x << r) | (x >> (32 - r))) & mask

    h, tail = seed, len(key) - len(key) % 4
    for start in range(0, len(key), 4):
        k = int.from_bytes(key[start : start + 4], "little")
        k = rotate(k * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
        h ^= k
        if start < tail:
            h = (rotate(h, 13) * 5 + 0xE6546B64) & mask
    h ^= len(key)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        h = (h ^ h >> shift) * factor & mask
    return h


def hashed(texts, n_bins):
    mask, h = 2**64 - 1, 0
    for text in texts:
        h = ((h ^ murmur(text)) + 0x9E3779B97F4A7C15) & mask
        h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & mask
        h = (h ^ h >> 27) * 0x94D049BB133111EB & mask
        h ^= h >> 31
    return 1 + h % n_bins


def test_hashes_are_those_of_the_definition():
    X = [["comedy", 1, 0.5], [None, -7, 0.5], ["Zürich", 10**18 + 1, 1e300]]
    texts = [
        [b"scomedy", b"n1", b"n1/2"],
        [b"NoneType:None", b"n-7", b"n1/2"],
        ["sZürich".encode(), b"n1000000000000000001", b"n%d" % int(1e300)],
    ]
    for n_bins in (1, 1000, 2**16, 2**40):
        codes = FeatureCrosses(encoding="hash", n_bins=n_bins, crosses=[(0, 1), (2, 0, 1)]).fit_transform(X)
        assert codes.tolist() == [[hashed((a, b), n_bins), hashed((c, a, b), n_bins)] for a, b, c in texts]


HASHED = [["comedy", "sun", 1999], ["drama", None, 2005.5], ["a|b", 3, ("x", 1.0)], [True, b"raw", pd.Timestamp(0)]]
FROZEN = [[60849, 34422, 15626], [8081, 51839, 29780], [14908, 64944, 39041], [13686, 49019, 62806]]


def test_hashes_never_change():
    """Models that are stored rely on it: a change of these numbers needs another name in the parameter `encoding`."""
    assert FeatureCrosses(encoding="hash").fit_transform(HASHED).tolist() == FROZEN


def test_hashes_are_the_same_in_every_process():
    code = (
        "import pickle, sys; from skrec.preprocessing import FeatureCrosses; X = pickle.load(sys.stdin.buffer);"
        "print(FeatureCrosses(encoding='hash').fit_transform(X).tolist())"
    )
    for seed in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(HASHED),
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(skrec.__file__).parents[1])},
        )
        assert result.stdout.decode().strip() == str(FROZEN)


@pytest.mark.parametrize(
    "equal",
    [
        [1, 1.0, True, np.int32(1), np.float32(1), Decimal("1.00")],
        [0.5, Decimal("0.50"), np.float16(0.5)],
        [0, -0.0, False],
        ["a", np.str_("a")],
        [None, np.nan, pd.NA, pd.NaT],
        [(1, "a"), (1.0, "a"), (np.int64(1), np.str_("a"))],
        [pd.Timestamp("2020-01-01"), datetime(2020, 1, 1), np.datetime64("2020-01-01")],  # noqa: DTZ001
        [datetime(2020, 1, 1, 12, tzinfo=UTC), datetime(2020, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))],
        [timedelta(days=1), pd.Timedelta("24h")],
        [pd.Interval(0, 1), pd.Interval(0.0, 1.0)],
    ],
)
def test_equal_values_have_equal_hashes(equal):
    crosses = FeatureCrosses(encoding="hash", n_bins=2**40)
    alone = [crosses.fit_transform(pd.DataFrame({"a": [value], "b": ["x"]})).item() for value in equal]
    together = crosses.fit_transform(pd.DataFrame({"a": pd.Series([*equal, "other"], dtype=object), "b": "x"}))
    assert len({*alone, *together[:-1, 0].tolist()}) == 1
    assert together[-1] != together[0]


def test_different_values_have_different_hashes():
    kinds = [
        "1",
        1,
        b"1",
        (1,),
        ("1",),
        ((1,),),
        None,
        "None",
        0.1,
        Decimal("0.1"),
        pd.Period("2020", "Y"),
        ("ab", "c"),
    ]
    column = pd.Series([*kinds, ("a", "bc"), datetime(2020, 1, 1), pd.Interval(0, 1)], dtype=object)  # noqa: DTZ001
    X = pd.DataFrame({"a": column, "b": column[::-1].to_numpy()})
    codes = FeatureCrosses(encoding="hash", n_bins=2**40).fit_transform(X)
    assert len(np.unique(codes)) == len(X)


def test_hashes_spread_evenly():
    X = np.stack(np.divmod(np.arange(100_000), 1000), axis=1)
    counts = np.bincount(FeatureCrosses(encoding="hash", n_bins=100).fit_transform(X)[:, 0], minlength=101)
    assert counts[0] == 0
    assert (abs(counts[1:] - 1000) < 5 * np.sqrt(1000)).all()


def test_a_hash_needs_no_known_values():
    crosses = FeatureCrosses(encoding="hash", n_bins=10).fit([["a", "b"]])
    assert 1 <= crosses.transform([["c", None]]).item() <= 10
    assert not hasattr(crosses, "categories_")
    with pytest.raises(AttributeError, match="categories_ is not available with encoding='hash'"):
        crosses.categories_
