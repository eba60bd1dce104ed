"""events_from_matrix and its inverse; matrices that are passed where rows of events are expected."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.pipeline import make_pipeline

from skrec.datasets import events_from_matrix, make_interactions, matrix_from_events
from skrec.exceptions import ColumnError
from skrec.model_selection import LeaveLastOut
from skrec.models import FMRanker, NCFClassifier, NCFRanker, PopularityRanker, SASRecRanker
from skrec.preprocessing import HistoryEncoder, IDEncoder

DENSE = np.array([[0, 5, 0], [3, 0, 1]])
EVENTS = [(0, 1, 5), (1, 0, 3), (1, 2, 1)]


def tuples(frame):
    return list(frame.itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "matrix",
    [
        DENSE,
        DENSE.tolist(),
        *(getattr(sparse, f"{kind}_array")(DENSE) for kind in ("csr", "csc", "coo", "lil", "dok")),
        sparse.csr_matrix(DENSE),
        np.where(DENSE == 0, np.nan, DENSE),
        pd.DataFrame(DENSE),
        pd.DataFrame(DENSE).replace(0, pd.NA).astype("Int64"),
        pd.DataFrame(DENSE).astype(pd.SparseDtype("int64", 0)),
    ],
    ids=lambda matrix: type(matrix).__name__,
)
def test_a_row_for_each_cell_with_a_value(matrix):
    events = events_from_matrix(matrix)
    assert events.columns.tolist() == ["user_id", "item_id", "value"]
    assert tuples(events) == EVENTS


def test_ids_come_from_the_arguments_or_the_labels():
    named = events_from_matrix(sparse.csr_array(DENSE), users=["ann", "bob"], items=pd.Index([10, 20, 30]))
    assert tuples(named) == [("ann", 20, 5), ("bob", 10, 3), ("bob", 30, 1)]
    log = pd.DataFrame({"user_id": ["b", "a", "b"], "item_id": [7, 9, 9], "stars": [1, 2, 3]})
    pivot = log.pivot_table(index="user_id", columns="item_id", values="stars")
    assert tuples(events_from_matrix(pivot)) == [("a", 9, 2.0), ("b", 7, 1.0), ("b", 9, 3.0)]
    assert tuples(events_from_matrix(pl.DataFrame({"x": [0, 2], "y": [1, 0]}))) == [(0, "y", 1), (1, "x", 2)]


def test_big_ids_keep_every_digit():
    ids = [2**62 + 1, 2**62 + 3]
    assert events_from_matrix(DENSE, users=ids)["user_id"].tolist() == [ids[0], ids[1], ids[1]]


def test_cells_that_are_stored_twice_are_summed_and_stored_zeros_are_none():
    matrix = sparse.coo_array(([1, 2, 0], ([0, 0, 1], [1, 1, 0])), shape=(2, 2))
    assert tuples(events_from_matrix(matrix)) == [(0, 1, 3)]
    assert matrix.nnz == 3


def test_there_and_back():
    X = make_interactions(40, 30, 400, random_state=0)
    matrix, users, items = matrix_from_events(X)
    assert matrix.sum() == len(X)
    events = events_from_matrix(matrix, users, items)
    again, users_again, items_again = matrix_from_events(events[["user_id", "item_id"]], events["value"])
    assert (matrix != again).nnz == 0
    assert (users == users_again).all()
    assert (items == items_again).all()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"matrix": np.zeros((2, 2))}, ValueError, "no cell with a value"),
        ({"matrix": [1, 2]}, ValueError, "two-dimensional"),
        ({"matrix": np.array([[0, np.inf]])}, ValueError, "infinity in row 0, column 1"),
        ({"matrix": [["a", "b"]]}, TypeError, "must hold numbers"),
        ({"matrix": np.array([["a", 1]], dtype=object)}, TypeError, r"must hold numbers, but has 'a' \(str\)"),
        ({"matrix": DENSE, "users": ["a"]}, ValueError, "users has 1 ids, but the matrix has 2 rows"),
        ({"matrix": DENSE, "items": [1, 2, 1]}, ValueError, "items has the id 1 more than once"),
        ({"matrix": DENSE, "users": ["a", None]}, ValueError, "column 'users' has no id in row 1"),
    ],
)
def test_what_is_no_matrix(arguments, error, match):
    with pytest.raises(error, match=match):
        events_from_matrix(**arguments)


def test_values_of_events_are_checked():
    with pytest.raises(ValueError, match="There are 1 values, but 2 events"):
        matrix_from_events([[1, 2], [1, 3]], [1.0])
    with pytest.raises(ValueError, match="NaN or infinity in row 1"):
        matrix_from_events([[1, 2], [1, 3]], [1.0, np.nan])


# -- matrices in place of rows --------------------------------------------------------------------------------------

CLICKS = (np.random.default_rng(0).random((30, 40)) < 0.3).astype(int)
COUNTS = CLICKS * np.random.default_rng(1).integers(1, 500, CLICKS.shape)
WIDE = {
    "clicks": CLICKS,
    "booleans": CLICKS.astype(bool),
    "counts": COUNTS,
    "ratings": CLICKS * np.random.default_rng(1).integers(1, 6, CLICKS.shape) / 2,
    "missing": np.where(CLICKS == 0, np.nan, COUNTS),
    "list": CLICKS.tolist(),
    "frame": pd.DataFrame(CLICKS),
    "pivot": pd.DataFrame(COUNTS).rename_axis(index="user_id", columns="item_id"),
}


@pytest.mark.parametrize("model", [NCFRanker(epochs=1), PopularityRanker(), SASRecRanker(epochs=1), FMRanker(epochs=1)])
@pytest.mark.parametrize("name", WIDE)
def test_a_dense_matrix_is_refused(model, name, unchanged_state):
    with unchanged_state(model), pytest.raises(ColumnError, match=r"user-item matrix.*skrec\.datasets\.events_from_m"):
        model.fit(WIDE[name])


def test_so_it_is_elsewhere():
    refused = {"match": r"skrec\.datasets\.events_from_matrix"}
    with pytest.raises(ColumnError, **refused):
        NCFClassifier().fit(CLICKS, CLICKS[:, 0])
    with pytest.raises(ColumnError, **refused):
        make_pipeline(IDEncoder(), NCFRanker(epochs=1)).fit(CLICKS)
    with pytest.raises(ColumnError, **refused):
        next(LeaveLastOut().split(CLICKS))
    with pytest.raises(ColumnError, **refused):
        HistoryEncoder().fit(CLICKS)
    with pytest.raises(ColumnError, match=r"no column 'user_id'.*events_from_matrix"):
        NCFRanker().fit(pd.DataFrame(CLICKS).add_prefix("item_"))


@pytest.mark.parametrize("model", [NCFRanker(), PopularityRanker(), SASRecRanker()])
def test_a_sparse_matrix_is_refused_with_the_way_out(model):
    for matrix in (sparse.csr_array(CLICKS), sparse.coo_matrix(CLICKS)):
        with pytest.raises(TypeError, match=r"Sparse data.*skrec\.datasets\.events_from_matrix\(X\)"):
            model.fit(matrix)


def test_the_way_out_works():
    model = PopularityRanker().fit(events_from_matrix(sparse.csr_array(CLICKS)))
    assert model.users_.tolist() == list(range(30))
    assert model.item_counts_.tolist() == CLICKS.sum(axis=0).tolist()


def test_rows_of_events_are_not_suspected():
    random = np.random.default_rng(0)
    ids = random.integers(0, 30, (60, 2))
    for more in (random.normal(size=(60, 10)), random.integers(0, 2, (60, 40)), np.zeros((60, 0))):
        assert len(PopularityRanker().fit(np.column_stack([ids, more])).users_) > 20
    few = np.column_stack([random.integers(0, 2, (60, 2)), random.integers(0, 2, (60, 8))])
    assert PopularityRanker(user=0, item=1).fit(few).users_.tolist() == [0, 1]
    assert PopularityRanker().fit(few[:, :3]).users_.tolist() == [0, 1]


@pytest.fixture
def unchanged_state():
    @contextmanager
    def context(model):
        before = vars(model).copy()
        yield
        assert vars(model) == before

    return context


@pytest.mark.parametrize("name", ["user_id", "userId", "Customer ID"])
def test_a_column_of_ids_is_no_item(name):
    table = pd.DataFrame(DENSE, columns=["a", "b", "c"])
    table.insert(0, name, [7, 9])
    for matrix in (table, pl.from_pandas(table), pa.Table.from_pandas(table)):
        with pytest.raises(ColumnError, match=f"the column '{name}', which would be taken for an item"):
            events_from_matrix(matrix)
    assert tuples(events_from_matrix(table.set_index(name))) == [(7, "b", 5), (9, "a", 3), (9, "c", 1)]


def test_an_arrow_table_and_items_that_are_named_as_roles_are_a_matrix():
    table = pa.Table.from_pandas(pd.DataFrame(DENSE, columns=["book", "song", "video"]))
    assert tuples(events_from_matrix(table)) == [(0, "song", 5), (1, "book", 3), (1, "video", 1)]
