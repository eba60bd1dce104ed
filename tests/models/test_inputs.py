"""X in any container, with ids of any kind and columns of any name: the same events make the same model."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrec.models import NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker

USERS = np.repeat(np.arange(12), 6)
ITEMS = (USERS % 3) + 3 * np.tile(np.arange(6), 12)
FRAME = pd.DataFrame({"user_id": USERS, "item_id": ITEMS})
PARAMETERS = {"architecture": "gmf", "embedding_dim": 4, "epochs": 3, "batch_size": 16, "random_state": 0}


@pytest.fixture(scope="module")
def expected():
    return NCFRanker(**PARAMETERS).fit(FRAME).score_items(np.arange(12))


@pytest.mark.parametrize(
    "X",
    [
        pytest.param(FRAME.to_numpy(), id="array"),
        pytest.param(FRAME.to_numpy(np.float32), id="float array"),
        pytest.param(FRAME.to_numpy(object), id="object array"),
        pytest.param(FRAME.to_numpy()[:, ::-1][:, ::-1], id="view"),
        pytest.param(FRAME.to_numpy().tolist(), id="list of lists"),
        pytest.param(list(FRAME.itertuples(index=False, name=None)), id="list of tuples"),
        pytest.param(FRAME.set_axis([0, 1], axis=1), id="frame without names"),
        pytest.param(FRAME.set_axis(FRAME.index[::-1] + 100), id="frame with an index"),
        pytest.param(FRAME[["item_id", "user_id"]], id="columns in another order"),
        pytest.param(FRAME.assign(price=1.5, note="text", gone=None), id="more columns"),
        pytest.param(FRAME.astype("Int64"), id="nullable"),
        pytest.param(FRAME.astype("category"), id="categories"),
        pytest.param(FRAME.astype("int8"), id="int8"),
        pytest.param(pl.from_pandas(FRAME), id="polars"),
        pytest.param(FRAME.add_prefix("encoder__"), id="names of a ColumnTransformer"),
    ],
)
def test_the_container_does_not_matter(expected, X):
    model = NCFRanker(**PARAMETERS).fit(X)
    assert model.score_items(np.arange(12)).tobytes() == expected.tobytes()
    assert model.predict(X).shape == (72,)
    assert model.recommend([3], k=2).shape == (2, 4)


@pytest.mark.parametrize(
    "ids",
    [
        pytest.param(lambda codes: codes.astype(float) / 4, id="fractions"),
        pytest.param(lambda codes: codes - 6, id="negative"),
        pytest.param(lambda codes: codes.astype(np.uint64) + np.uint64(2**63), id="uint64"),
        pytest.param(lambda codes: codes + 10**18, id="10^18"),
        pytest.param(lambda codes: np.array([f"{code:02}" for code in codes]), id="strings"),
        pytest.param(lambda codes: np.array([f"{code:02} 用户 \N{GRINNING FACE}" for code in codes]), id="unicode"),
        pytest.param(lambda codes: pd.array([f"{code:02}" for code in codes], dtype="string"), id="string dtype"),
        pytest.param(lambda codes: [code if code < 6 else f"{code:02}" for code in codes.tolist()], id="mixed"),
        pytest.param(lambda codes: [("shop", code) for code in codes.tolist()], id="tuples"),
        pytest.param(lambda codes: [date.fromordinal(700_000 + code) for code in codes.tolist()], id="dates"),
        pytest.param(lambda codes: pd.Timestamp(2026, 1, 1) + pd.to_timedelta(codes, unit="s"), id="times"),
    ],
)
def test_ids_of_any_kind_make_the_same_model(expected, ids):
    frame = pd.DataFrame({"user_id": list(ids(USERS)), "item_id": list(ids(ITEMS))})
    model = NCFRanker(**PARAMETERS).fit(frame)
    assert model.score_items(frame["user_id"][::6]).tobytes() == expected.tobytes()
    assert model.users_.tolist() == frame["user_id"][::6].tolist()
    chosen = model.recommend(frame["user_id"][:1], k=18, exclude_seen=False)["item_id"]
    assert set(chosen) == set(frame["item_id"])


def test_large_ids_next_to_each_other_stay_apart():
    model = PopularityRanker().fit(pd.DataFrame({"user_id": [1, 2], "item_id": [10**18, 10**18 + 1]}))
    assert model.items_.tolist() == [10**18, 10**18 + 1]
    assert model.recommend([1])["item_id"].tolist() == [10**18 + 1]


def test_a_number_and_its_text_are_two_ids():
    model = PopularityRanker().fit([[1, "1"], ["1", 1], [1.0, 1.0]])
    assert model.users_.tolist() == model.items_.tolist() == [1, "1"]
    assert model.seen_items([1, "1"]).toarray().tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(("user", "item"), [("who", "what"), (2, 0), ("who", 0), (-1, -3)])
def test_roles_are_given_by_name_or_position(expected, user, item):
    frame = pd.DataFrame({"what": ITEMS, "hour": 3, "who": USERS})
    if isinstance(user, int) and user < 0:
        with pytest.raises(ValueError, match="-1"):
            NCFRanker(user=user, item=item).fit(frame)
        return
    model = NCFRanker(user=user, item=item, **PARAMETERS).fit(frame)
    assert model.score_items(np.arange(12)).tobytes() == expected.tobytes()
    assert model.recommend(frame[:1], k=1).columns.tolist() == ["who", "what", "score", "rank"]


def test_arrays_fitted_by_position_are_predicted_by_position(expected):
    X = np.column_stack([np.full(72, 7.5), ITEMS, USERS])
    model = NCFRanker(user=2, item=1, **PARAMETERS).fit(X)
    assert model.score_items(np.arange(12)).tobytes() == expected.tobytes()
    assert model.predict(X) == pytest.approx(expected[USERS, np.searchsorted(model.items_, ITEMS)], abs=1e-6)


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], [False, True], [-1, 1], [2.0, 7.0]], ids=str)
def test_labels_of_any_kind(labels):
    y = np.array(labels)[(ITEMS > 8).astype(int)]
    model = NCFClassifier(**PARAMETERS).fit(FRAME, y)
    assert model.classes_.tolist() == labels
    assert set(model.predict(FRAME).tolist()) <= set(labels)
    assert pl.Series(y).to_list() == y.tolist()
    same = NCFClassifier(**PARAMETERS).fit(FRAME, pl.Series(y) if y.dtype.kind != "U" else pd.Series(y))
    assert same.predict_proba(FRAME).tobytes() == model.predict_proba(FRAME).tobytes()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_ratings_of_any_scale_are_learnt_alike(scale):
    ratings = (ITEMS % 5) * scale + 3 * scale
    reference = NCFRegressor(**PARAMETERS).fit(FRAME, ratings / scale).predict(FRAME)
    assert NCFRegressor(**PARAMETERS).fit(FRAME, ratings).predict(FRAME) / scale == pytest.approx(reference, rel=1e-3)


def test_a_constant_rating_is_predicted():
    model = NCFRegressor(**PARAMETERS).fit(FRAME, np.full(72, 3.25))
    assert model.predict(FRAME) == pytest.approx(np.full(72, 3.25), abs=0.1)


def test_x_is_neither_changed_nor_kept(expected):
    X = FRAME.to_numpy()
    X.flags.writeable = False
    frame = FRAME.copy()
    for data in (X, frame):
        model = NCFRanker(**PARAMETERS).fit(data)
        assert not any(value is data for value in vars(model).values())
    pd.testing.assert_frame_equal(frame, FRAME)
