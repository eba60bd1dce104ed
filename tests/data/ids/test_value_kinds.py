"""Values of a kind that fit did not see are noticed at every door."""

import numpy as np
import pandas as pd
import pytest

from skrec.models import FMClassifier, NCFRanker, SASRecRanker
from skrec.preprocessing import FeatureCrosses, HistoryEncoder, IDEncoder, MultiHotEncoder

R = np.random.default_rng(0)
EVENTS = pd.DataFrame({"user_id": R.integers(0, 9, 120).astype(str), "item_id": R.integers(0, 9, 120).astype(str)})
KINDS = {
    "bytes": (lambda column: column.map(str.encode), r"are bytes \(object\).*strings.*str\.decode"),
    "bytes of NumPy": (lambda column: column.map(np.bytes_), r"are bytes \(object\).*strings.*str\.decode"),
    "numbers": (lambda column: column.astype(int), r"are numbers \(int64\).*strings.*astype\(str\)"),
    "dates": (lambda column: pd.to_datetime(column.astype(int)), r"are dates \(.*strings"),
}


@pytest.fixture(scope="module")
def ranker():
    return NCFRanker(architecture="mf", epochs=1, random_state=0).fit(EVENTS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_ids_of_another_kind(kind, ranker):
    convert, message = KINDS[kind]
    other = EVENTS.assign(user_id=convert(EVENTS["user_id"]))
    with pytest.warns(UserWarning, match=f"'user_id' {message}"):
        ranker.predict(other)
    with pytest.warns(UserWarning, match=f"'user_id' {message}"):
        ranker.recommend(other["user_id"].tolist()[:3] if "bytes" in kind else other["user_id"][:3], k=2)
    with pytest.warns(UserWarning, match=f"'user_id' {message}"):
        IDEncoder().fit(EVENTS).transform(other)
    with pytest.warns(UserWarning, match=f"'user_id' {message}"):
        HistoryEncoder().fit(EVENTS).transform(other)


def test_excluded_and_past_items_of_another_kind(ranker):
    with pytest.warns(UserWarning, match="are bytes"):
        ranker.recommend(["1"], k=2, exclude=pd.DataFrame({"user_id": ["1"], "item_id": [b"2"]}))
    sequences = SASRecRanker(epochs=1, random_state=0).fit(EVENTS)
    with pytest.warns(UserWarning, match="'item_id' are bytes"):
        sequences.recommend(["1"], k=2, history=[[b"1", b"2"]])


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_categories_of_another_kind(kind):
    convert, message = KINDS[kind]
    frame = pd.DataFrame({"city": EVENTS["user_id"], "job": EVENTS["item_id"]})
    other = frame.assign(city=convert(frame["city"]))
    with pytest.warns(UserWarning, match=f"values for column 'city' {message}"):
        FMClassifier(epochs=1, random_state=0).fit(frame, R.integers(0, 2, 120)).predict(other)
    with pytest.warns(UserWarning, match=f"values for column 'city' {message}"):
        MultiHotEncoder().fit(frame).transform(other)
    with pytest.warns(UserWarning, match=f"values for column 'city' {message}"):
        FeatureCrosses().fit(frame).transform(other)
    with pytest.warns(
        UserWarning, match=f"Some values for column 'city' are {kind.split()[0]}, .* strings: their hash"
    ):
        FeatureCrosses(encoding="hash").fit(frame).transform(other)


def test_a_list_with_bytes_among_strings():
    lists = pd.DataFrame({"genres": [["a", "b"], ["b"]] * 20})
    with pytest.warns(UserWarning, match="Some values for column 'genres' are bytes, such as b'a'"):
        MultiHotEncoder().fit(lists).transform(pd.DataFrame({"genres": [["b", b"a"]]}))
    model = FMClassifier(epochs=1, random_state=0).fit(lists, [0, 1] * 20)
    with pytest.warns(UserWarning, match="Some values for column 'genres' are bytes, such as b'a'"):
        model.predict(pd.DataFrame({"genres": [["b", b"a"]]}))
