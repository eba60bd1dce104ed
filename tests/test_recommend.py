"""skrec.recommend: estimators unwrapped, ids mapped there and back, foreign estimators served."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

import skrec
from skrec._data.ids.vocabulary import Vocabulary
from skrec._data.tables.columns import as_column
from skrec._data.tables.roles import resolve_roles
from skrec._data.tables.table import as_rows
from skrec._recommend import is_recommender, unwrap
from skrec.datasets import make_interactions
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.models import DCNRanker, DINRanker, DNNRanker, FMRanker, NCFRanker, PopularityRanker
from skrec.preprocessing import HistoryEncoder, IDEncoder

USERS = ["ann", "bob", "cy"]
ITEMS = ["x", "y", "z", "w"]
EVENTS = pd.DataFrame([(u, i) for u in USERS for i in ITEMS], columns=["user_id", "item_id"])
AFFINITY = np.array([1, 2, 3, 10, 8, 7, 10, 6, 10, 5, 9, 4], dtype=float)  # 10 and above: seen


class AffinityRanker(BaseEstimator):
    """A skrec model in what skrec.recommend asks of it: it scores a pair by its y, unknown users by the mean."""

    def __init__(self, user=None, item=None, handle_unknown="oov"):
        self.user, self.item, self.handle_unknown = user, item, handle_unknown

    def fit(self, X, y):
        rows = as_rows(X, min_columns=2)
        self.n_features_in_ = rows.n_columns
        self._estimator_roles = roles = resolve_roles(rows, user=self.user, item=self.item)
        self._users, users = Vocabulary.fit(rows.column(roles.user))
        self._items, items = Vocabulary.fit(rows.column(roles.item))
        self.users_, self.items_ = self._users.ids, self._items.ids
        self.scores_ = np.zeros((len(self.users_) + 1, len(self.items_) + 1))
        self.scores_[users, items] = y
        self.scores_[0] = self.scores_[1:].mean(axis=0)
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score_items(self, queries, candidates=None):
        raise NotImplementedError

    def _ids(self, values, position):
        return as_rows(values).column(position) if len(np.shape(values)) == 2 else as_column(values)

    def recommend(self, queries, k=10, *, candidates=None, exclude_seen=True, exclude=None, as_frame=True):
        roles = self._estimator_roles
        ids = self._ids(queries, roles.user)
        users = self._users.encode(ids)
        if self.handle_unknown == "error" and not users.all():
            raise UnknownIdError(f"unknown {ids[users == 0]}")
        items = np.arange(1, len(self.items_) + 1)
        if candidates is not None:
            candidates = self._ids(candidates, roles.item)
            codes = self._items.encode(candidates)
            items, strange = np.unique(codes[codes > 0]), pd.unique(candidates[codes == 0])
            if self.handle_unknown == "error" and len(strange):
                raise UnknownIdError(f"unknown {strange}")
            items = np.append(items, np.zeros(len(strange), int))
        ids_of_items = self.items_[items - 1].astype(object)
        ids_of_items[items == 0] = [] if candidates is None else strange
        scores = self.scores_[users][:, items].copy()
        if exclude_seen:
            scores[(scores >= 10) & (users > 0)[:, None]] = -np.inf
        for user, item in exclude if exclude is not None else ():
            scores[np.ix_(ids == user, ids_of_items == item)] = -np.inf
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        scores, chosen = np.take_along_axis(scores, order, axis=1), as_column(ids_of_items)[order]
        if as_frame:
            query, column = np.nonzero(scores > -np.inf)
            values = [ids[query], chosen[query, column], scores[query, column], column + 1]
            return pd.DataFrame(dict(zip([roles.user_name, roles.item_name, "score", "rank"], values, strict=True)))
        return chosen, scores


def ordinal(**params):
    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, **params)


def with_columns(X):
    return X.assign(price=np.arange(len(X), dtype=float), genre=["a", "b", "c"] * (len(X) // 3))[
        ["price", "item_id", "genre", "user_id"]
    ]


def as_arrays(X):
    return X.to_numpy()


def column_transformer(**params):
    parts = [("scaled", StandardScaler(), ["price"]), ("ids", ordinal(), ["user_id", "item_id"])]
    return ColumnTransformer(parts, **params)


PIPELINES = {
    "OrdinalEncoder": (lambda X: X, lambda: make_pipeline(ordinal(), AffinityRanker())),
    "OrdinalEncoder with pandas output": (
        lambda X: X,
        lambda: make_pipeline(ordinal().set_output(transform="pandas"), AffinityRanker()),
    ),
    "arrays": (as_arrays, lambda: make_pipeline(ordinal(), AffinityRanker())),
    "more columns for one encoder": (
        with_columns,
        lambda: make_pipeline(ordinal(), AffinityRanker(user=3, item=1)),
    ),
    "IDEncoder": (lambda X: X, lambda: make_pipeline(IDEncoder(), AffinityRanker())),
    "IDEncoder beside others": (
        with_columns,
        lambda: make_pipeline(
            ColumnTransformer([("ids", IDEncoder(), ["user_id", "genre", "item_id"])], remainder="passthrough"),
            StandardScaler(with_std=False),
            AffinityRanker(item=2),
        ),
    ),
    "ColumnTransformer, positions": (
        with_columns,
        lambda: make_pipeline(column_transformer(), AffinityRanker(user=1, item=2)),
    ),
    "ColumnTransformer, names, remainder": (
        with_columns,
        lambda: make_pipeline(
            column_transformer(remainder="passthrough").set_output(transform="pandas"), AffinityRanker()
        ),
    ),
    "ColumnTransformer, user passed through": (
        with_columns,
        lambda: make_pipeline(
            ColumnTransformer([("users", "passthrough", ["user_id"]), ("items", ordinal(), ["item_id", "genre"])]),
            AffinityRanker(),
        ),
    ),
    "ColumnTransformer with a Pipeline and what has no inverse": (
        with_columns,
        lambda: make_pipeline(
            ColumnTransformer(
                [
                    ("pca", PCA(n_components=1), ["price"]),
                    ("ids", make_pipeline(ordinal(), StandardScaler(), "passthrough"), ["item_id", "user_id"]),
                    ("hot", OneHotEncoder(sparse_output=False), ["genre"]),
                ]
            ),
            AffinityRanker(user=2, item=1),
        ),
    ),
    "two steps, nested and frozen": (
        with_columns,
        lambda: make_pipeline(
            "passthrough",
            make_pipeline(column_transformer(), StandardScaler(with_std=False)),
            FrozenEstimator(AffinityRanker(user=1, item=2)),
        ),
    ),
    "a search": (
        with_columns,
        lambda: GridSearchCV(
            make_pipeline(column_transformer(verbose_feature_names_out=False), AffinityRanker(item=2)),
            {"affinityranker__user": [1]},
            scoring=lambda estimator, X, y: 0.0,
            cv=2,
        ),
    ),
}


def fitted(name, X=EVENTS, y=AFFINITY):
    prepare, make = PIPELINES[name]
    estimator = make()
    if name.startswith("two steps"):  # a frozen estimator has to be fitted beforehand
        before = estimator[:-1].fit(prepare(X))
        estimator[-1].estimator.fit(before.transform(prepare(X)), y)
    return estimator.fit(prepare(X), y)


@pytest.fixture(params=PIPELINES)
def pipeline(request):
    return fitted(request.param)


@pytest.fixture
def plain():
    return AffinityRanker().fit(EVENTS, AFFINITY)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"k": 2},
        {"k": 100, "exclude_seen": False},
        {"candidates": ["w", "y"]},
        {"candidates": np.array(["z"])},
        {"exclude": [("ann", "z"), ("cy", "x"), ("zoe", "y")]},
        {"k": 1, "exclude": [("ann", "z"), ("ann", "y"), ("bob", "nothing")], "candidates": ["z", "y", "x"]},
    ],
)
def test_a_pipeline_recommends_what_the_model_alone_does(pipeline, plain, options):
    queries = ["bob", "zoe", "ann", "bob"]
    expected = plain.recommend(queries, **options)
    result = skrec.recommend(pipeline, queries, **options)
    pd.testing.assert_frame_equal(result, expected)


def test_arrays_have_a_row_a_query_and_none_where_nothing_is_left(pipeline):
    items, scores = skrec.recommend(pipeline, ["ann", "cy"], k=9, as_frame=False)
    assert items.tolist() == [["z", "y", "x", None], ["z", "y", "w", None]]
    np.testing.assert_array_equal(scores, [[3, 2, 1, -np.inf], [9, 5, 4, -np.inf]])


@pytest.mark.parametrize("name", PIPELINES)
def test_queries_and_candidates_may_be_rows(name, plain):
    pipeline, prepare = fitted(name), PIPELINES[name][0]
    rows = prepare(EVENTS)
    queries, candidates = rows[[5, 0]] if isinstance(rows, np.ndarray) else rows.iloc[[5, 0]], rows[:2]
    if not isinstance(rows, np.ndarray):
        candidates = candidates.drop(columns="user_id")
    result = skrec.recommend(pipeline, queries, candidates=candidates)
    pd.testing.assert_frame_equal(result, plain.recommend(["bob", "ann"], candidates=["x", "y"]))


@pytest.mark.parametrize("name", ["OrdinalEncoder", "ColumnTransformer, positions"])
def test_rows_may_lack_what_they_are_not_asked_for(name, plain):
    pipeline, prepare = fitted(name), PIPELINES[name][0]
    rows = prepare(EVENTS)
    result = skrec.recommend(
        pipeline, rows.iloc[[4]].drop(columns="item_id"), candidates=rows.iloc[[0, 1]].drop(columns="user_id")
    )
    pd.testing.assert_frame_equal(result, plain.recommend(["bob"], candidates=["x", "y"]))
    with pytest.raises(ColumnError, match=r"queries has no column 'user_id'; its columns are \['item_id'\]. Add it"):
        skrec.recommend(pipeline, pd.DataFrame({"item_id": ["x"]}))


@pytest.mark.parametrize(
    "name", [name for name in PIPELINES if not name.startswith(("arrays", "two steps", "a search"))]
)
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_a_frame_of_ids_alone_is_as_good_as_ids(name, library, plain):
    pipeline = fitted(name)
    queries = library({"user_id": ["bob", "zoe"]}), library({"other": [0, 1], "user_id": ["bob", "zoe"]})
    for rows in queries:
        result = skrec.recommend(pipeline, rows, candidates=library({"item_id": ["x", "q"]}))
        pd.testing.assert_frame_equal(result, plain.recommend(["bob", "zoe"], candidates=["x", "q"]))


def test_of_the_context_all_must_be_there_or_nothing():
    X = with_columns(EVENTS)
    pipeline = fitted("IDEncoder beside others")
    message = r"queries lack the column\(s\) 'genre', which fit saw. Add them, or pass ids alone"
    with pytest.raises(ColumnError, match=message):
        skrec.recommend(pipeline, X[["user_id", "price"]])
    with pytest.raises(ColumnError, match="candidates lack the column"):
        skrec.recommend(pipeline, ["ann"], candidates=X[["item_id", "price"]])


def test_frames_behind_an_encoder_that_lets_the_time_pass_are_read_as_by_the_model():
    events = make_interactions(n_users=30, n_items=12, random_state=0)
    model = DCNRanker(epochs=1, embedding_dim=4, hidden_units=(4,), random_state=0)
    events["user_id"] += 100  # the encoder keeps the order of ids
    for X in (events, events.assign(price=events["item_id"] % 3.0)):
        encoder = ColumnTransformer([("ids", IDEncoder(), ["user_id", "item_id"])], remainder="passthrough")
        encoder.set_params(verbose_feature_names_out=False).set_output(transform="pandas")
        pipeline, alone = make_pipeline(encoder, model).fit(X), clone(model).fit(X)
        new_items = X.drop_duplicates("item_id")[:4].drop(columns=["user_id", "timestamp"])
        new_items["item_id"] = [1, 777, 2, 778]
        for candidates in (None, new_items):
            expected = alone.recommend(X[["user_id"]][:3], k=3, candidates=candidates)
            result = skrec.recommend(pipeline, X[["user_id"]][:3], k=3, candidates=candidates)
            pd.testing.assert_frame_equal(result, expected, rtol=1e-4)


@pytest.mark.parametrize("encoder", [ordinal(), IDEncoder()])
@pytest.mark.parametrize("known", [str, int])
def test_ids_of_another_kind_than_those_of_the_pipeline_are_unknown(encoder, known):
    events = pd.DataFrame({"user_id": [1, 1, 2, 3], "item_id": [5, 6, 5, 7]})
    pipeline = make_pipeline(encoder, PopularityRanker()).fit(events.astype(known))
    alone = PopularityRanker().fit(events.astype(known))
    other = events.astype(int if known is str else str)
    for column, options in (
        ("user_id", {"queries": other["user_id"][2:]}),
        ("user_id", {"queries": other[["user_id"]][2:]}),
        ("item_id", {"queries": events["user_id"].astype(known)[:1], "candidates": other["item_id"]}),
    ):
        with pytest.warns(UserWarning, match=f"ids for column '{column}' are .*but those of fit are") as caught:
            result = skrec.recommend(pipeline, **options)
        assert len(caught) == 1
        with pytest.warns(UserWarning, match=f"ids for column '{column}' are"):
            pd.testing.assert_frame_equal(result, alone.recommend(**options), check_dtype=False)


def test_an_encoder_that_refuses_ids_of_another_kind_does_so_after_the_warning():
    events = pd.DataFrame({"user_id": ["1", "1", "2"], "item_id": ["5", "6", "5"]})
    pipeline = make_pipeline(OrdinalEncoder(), PopularityRanker()).fit(events)
    with (
        pytest.warns(UserWarning, match="ids for column 'user_id' are numbers"),
        pytest.raises(ValueError, match="unkn"),
    ):
        skrec.recommend(pipeline, [1, 2])


def test_candidates_that_are_there_twice_count_once_and_must_agree():
    X = with_columns(EVENTS).assign(price=EVENTS["item_id"].map({"x": 1.0, "y": 2.0, "z": 3.0, "w": 4.0}))
    model = DNNRanker(epochs=1, hidden_units=(4,), random_state=0).fit(X[["user_id", "item_id", "price"]])
    items = pd.DataFrame({"item_id": ["x", "y", "x"], "price": [1.0, 2.0, 1.0]})
    pd.testing.assert_frame_equal(
        model.recommend(["ann"], candidates=items, exclude_seen=False),
        model.recommend(["ann"], candidates=items[:2], exclude_seen=False),
    )
    items["price"] = [1.0, 2.0, 4.0]
    for recommend in (model.recommend, lambda *queries, **options: skrec.recommend(model, *queries, **options)):
        with pytest.raises(ValueError, match="2 rows of item 'x' with different values in column 'price': 1.0 in"):
            recommend(["ann"], candidates=items)


@pytest.mark.parametrize("name", ["OrdinalEncoder", "ColumnTransformer, positions"])
def test_a_misspelt_column_is_guessed(name):
    pipeline = fitted(name)
    message = r"queries has no column 'user_id'; its columns are \['UserID'\]. Did you mean 'UserID'\? Rename it"
    with pytest.raises(ColumnError, match=message):
        skrec.recommend(pipeline, pd.DataFrame({"UserID": ["ann"]}))
    with pytest.raises(ColumnError, match="candidates has no column 'item_id'.*Did you mean 'itemid'"):
        skrec.recommend(pipeline, ["ann"], candidates=pd.DataFrame({"itemid": ["x"]}))


@pytest.mark.parametrize("encode", [False, True], ids=["model", "pipeline"])
def test_a_misspelt_feature_is_guessed(encode):
    X = with_columns(EVENTS).assign(genre=EVENTS["item_id"].map({"x": "a", "y": "b", "z": "a", "w": "b"}))
    X["price"], X["mood"] = X["item_id"].map({"x": 1.0, "y": 2.0, "z": 3.0, "w": 4.0}), X["user_id"] + "s"
    X["place"] = X["user_id"] + "p"
    encoder = ColumnTransformer([("ids", IDEncoder(), ["user_id", "item_id"])], remainder="passthrough")
    encoder.set_params(verbose_feature_names_out=False).set_output(transform="pandas")
    model = DNNRanker(epochs=1, hidden_units=(4,), random_state=0)
    model = (make_pipeline(encoder, model) if encode else model).fit(X)
    items = X[["item_id", "price", "genre"]].rename(columns={"price": "prize"})
    with pytest.raises(ColumnError, match=r"lack the column\(s\) 'price'.*Did you mean 'price' by 'prize'\? Rename it"):
        skrec.recommend(model, ["ann"], candidates=items)
    users = X.drop(columns="item_id").rename(columns={"place": "Place"})
    with pytest.raises(ColumnError, match=r"lack the column\(s\) 'place'.*Did you mean 'place' by 'Place'\? Rename it"):
        skrec.recommend(model, users)
    # Rows with nothing but it are not taken for ids alone.
    with pytest.raises(ColumnError, match="Did you mean 'place' by 'Place'"):
        skrec.recommend(model, users[["user_id", "Place"]])
    with pytest.raises(ColumnError, match="Did you mean 'price' by 'prize'"):
        skrec.recommend(model, ["ann"], candidates=items[["item_id", "prize"]])


@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize("together", [False, True], ids=["columns apart", "one encoder for both sides"])
@pytest.mark.parametrize("model", [FMRanker, DINRanker])
def test_rows_need_no_columns_of_the_other_side(model, together, library):
    events = make_interactions(n_users=30, n_items=12, n_interactions=300, random_state=0)
    X = events[["user_id", "item_id"]].assign(
        age=events["user_id"] % 7 + 20.0, city="c" + (events["user_id"] % 3).astype(str),
        price=events["item_id"] % 5 + 1.0, genre="g" + (events["item_id"] % 4).astype(str),
    )  # fmt: skip
    parts = [("ids", IDEncoder(), ["user_id", "item_id"])]
    parts += [("scaled", StandardScaler(), ["age", "price"])] if together else [("scaled", StandardScaler(), ["price"])]
    if together:
        parts += [("hot", OneHotEncoder(sparse_output=False), ["city", "genre"])]
    else:
        parts += [("city", OneHotEncoder(sparse_output=False), ["city"]), ("genre", ordinal(), ["genre"])]
    encoder = ColumnTransformer(parts, remainder="passthrough", verbose_feature_names_out=False)
    estimator = model(epochs=1, random_state=0, item_features=["price", "genre"] if not together else "auto")
    pipeline = make_pipeline(encoder.set_output(transform="pandas"), estimator).fit(X)
    items = X.drop_duplicates("item_id")[:4].drop(columns="user_id")
    users = X.drop_duplicates("user_id")[:3].assign(user_id=[777, 778, 779])
    expected = skrec.recommend(pipeline, users, k=3, candidates=items)
    few = library(users.drop(columns=["item_id", "price", "genre"]).to_dict("list"))
    new = library(items[["item_id", "price", "genre"]].to_dict("list"))
    if together:
        with pytest.raises(ColumnError, match="queries lack the column.* 'genre'"):
            skrec.recommend(pipeline, few)
        with pytest.raises(ColumnError, match="candidates lack the column.* 'city'"):
            skrec.recommend(pipeline, [3], candidates=new)
    else:
        result = skrec.recommend(pipeline, few, k=3, candidates=new)
        pd.testing.assert_frame_equal(result, expected)


def test_queries_need_no_time_where_the_model_does_not_look_at_it():
    X = with_columns(EVENTS).assign(mood=EVENTS["user_id"] + "s", timestamp=np.arange(len(EVENTS)))
    encoder = ColumnTransformer([("ids", IDEncoder(), ["user_id", "item_id"])], remainder="passthrough")
    encoder.set_params(verbose_feature_names_out=False).set_output(transform="pandas")
    pipeline = make_pipeline(encoder, FMRanker(epochs=1, random_state=0)).fit(X)
    users = X.drop_duplicates("user_id")
    pd.testing.assert_frame_equal(
        skrec.recommend(pipeline, users.drop(columns="timestamp"), k=2), skrec.recommend(pipeline, users, k=2)
    )


def test_the_columns_are_named_as_in_the_raw_data():
    X = EVENTS.set_axis(["customer", "sku"], axis=1)
    pipeline = make_pipeline(OrdinalEncoder(), AffinityRanker()).fit(X, AFFINITY)
    result = skrec.recommend(pipeline, ["ann"], exclude=pd.DataFrame({"sku": ["z"], "customer": ["ann"]}))
    assert list(result) == ["customer", "sku", "score", "rank"]
    assert result["sku"].tolist() == ["y", "x"]
    with pytest.raises(ColumnError, match="exclude has no column 'customer'"):
        skrec.recommend(pipeline, ["ann"], exclude=EVENTS)


def test_polars_frames_and_series(plain):
    X = pl.from_pandas(EVENTS)
    pipeline = make_pipeline(ordinal().set_output(transform="polars"), AffinityRanker()).fit(X, AFFINITY)
    expected = plain.recommend(["bob"], candidates=["x", "w"])
    result = skrec.recommend(pipeline, pl.Series(["bob"]), candidates=pl.Series(["x", "w"]))
    pd.testing.assert_frame_equal(result, expected)
    pd.testing.assert_frame_equal(skrec.recommend(pipeline, X[4:5], candidates=["x", "w"]), expected)


ids = st.one_of(st.integers(-5, 5), st.text("abé", min_size=1, max_size=2))


@pytest.mark.filterwarnings("ignore:Some ids for column")
@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(ids, ids, st.integers(0, 12)), min_size=1, max_size=25, unique_by=lambda pair: pair[:2]),
    st.lists(ids, min_size=1, max_size=4),
    st.integers(1, 4),
)
def test_encoded_recommendations_equal_raw_ones_for_any_ids(events, queries, k):
    y = [affinity for _, _, affinity in events]
    X = np.array([pair[:2] for pair in events], dtype=object)
    queries = [*queries, X[0, 0]]
    plain = AffinityRanker().fit(X, y)
    pipeline = make_pipeline(IDEncoder(), AffinityRanker()).fit(X, y)
    expected = plain.recommend(queries, k, as_frame=False)
    items, scores = skrec.recommend(pipeline, queries, k, as_frame=False)
    np.testing.assert_array_equal(scores, expected[1])
    there = scores > -np.inf
    np.testing.assert_array_equal(items[there], expected[0][there])


@pytest.mark.parametrize("k", [1, 3, 10])
@pytest.mark.parametrize(
    "options", [{}, {"exclude_seen": False}, {"candidates": ["w", "x"], "exclude": [("bob", "x")]}]
)
def test_popularity_behind_an_encoder(k, options):
    X = EVENTS.iloc[[0, 1, 4, 5, 6, 9, 11]]
    pipeline = make_pipeline(IDEncoder(), PopularityRanker()).fit(X)
    expected = PopularityRanker().fit(X).recommend(["bob", "zoe"], k, **options)
    pd.testing.assert_frame_equal(skrec.recommend(pipeline, ["bob", "zoe"], k, **options), expected)


@pytest.mark.slow
def test_an_unknown_user_reaches_the_networks_row_of_unknown_users():
    pipeline = make_pipeline(IDEncoder(), NCFRanker(epochs=1, random_state=0)).fit(EVENTS)
    result = skrec.recommend(pipeline, ["zoe"], k=4)
    expected = pipeline[-1].recommend([0], k=4)  # IDEncoder's code of unknown ids, which the model did not see in fit
    assert result["item_id"].tolist() == [pipeline[0].categories_[1][code - 1] for code in expected["item_id"]]
    np.testing.assert_array_equal(result["score"], expected["score"])


# ---------------------------------------------------------------------------------------------------------- unknown ids


def test_unknown_users_are_an_error_that_names_the_raw_ids():
    pipeline = make_pipeline(ordinal(), AffinityRanker(handle_unknown="error")).fit(EVENTS, AFFINITY)
    with pytest.raises(UnknownIdError, match="queries has 2 unknown users: 'zoe', 7. They were not in the training"):
        skrec.recommend(pipeline, ["ann", "zoe", 7])
    rows = pd.DataFrame({"user_id": ["ann", "zed"]})
    with pytest.raises(UnknownIdError, match="1 unknown users: 'zed'"):
        skrec.recommend(pipeline, rows)


@pytest.mark.filterwarnings("ignore:Some ids for column 'item_id' are numbers")
@pytest.mark.parametrize("options", [{}, {"k": 2}, {"exclude": [("bob", "q"), ("zoe", 7)]}, {"exclude_seen": False}])
def test_unknown_candidates_are_ranked_as_by_the_model_alone(pipeline, plain, options):
    options = {"candidates": ["q", "x", 7, "z", "q"], **options}
    expected = plain.recommend(["bob", "zoe"], **options)
    pd.testing.assert_frame_equal(skrec.recommend(pipeline, ["bob", "zoe"], **options), expected)


@pytest.mark.parametrize("name", PIPELINES)
def test_so_are_those_in_rows(name, plain):
    pipeline, prepare = fitted(name), PIPELINES[name][0]
    rows = prepare(EVENTS[:3].assign(item_id=["q", "x", "p"]))
    rows = rows if isinstance(rows, np.ndarray) else rows.drop(columns="user_id")
    expected = plain.recommend(["bob"], candidates=["q", "x", "p"])
    pd.testing.assert_frame_equal(skrec.recommend(pipeline, ["bob"], candidates=rows), expected)


def test_unknown_candidates_are_an_error_if_the_model_refuses_them():
    pipeline = make_pipeline(ordinal(), AffinityRanker(handle_unknown="error")).fit(EVENTS, AFFINITY)
    with pytest.raises(UnknownIdError, match="candidates has 2 unknown items: 'q', 'p'"):
        skrec.recommend(pipeline, ["ann"], candidates=["q", "x", "p"])
    pipeline = make_pipeline(IDEncoder(handle_unknown="error"), AffinityRanker()).fit(EVENTS, AFFINITY)
    with pytest.raises(UnknownIdError, match="Column 'item_id' has the id 'q'"):
        skrec.recommend(pipeline, ["ann"], candidates=["q", "x"])


def test_a_networks_scores_of_unknown_candidates_are_those_of_its_row_for_them():
    pipeline = make_pipeline(IDEncoder(), NCFRanker(epochs=1, random_state=0)).fit(EVENTS)
    result = skrec.recommend(pipeline, ["ann"], candidates=["q", "p"])
    assert result["item_id"].tolist() == ["q", "p"]
    assert result["score"].tolist() == pytest.approx(pipeline[-1].score_items([1], [99, 98])[0].tolist(), abs=1e-6)


@pytest.mark.parametrize("encoder", [IDEncoder(min_frequency=4), ordinal(min_frequency=4)])
def test_items_too_rare_for_the_encoder_are_never_recommended(encoder):
    often = EVENTS[EVENTS.item_id != "w"]
    X = pd.concat([EVENTS, often], ignore_index=True)
    y = np.concatenate([np.where(EVENTS.item_id == "w", 9.5, AFFINITY), AFFINITY[often.index]])
    pipeline = make_pipeline(encoder, AffinityRanker()).fit(X, y)
    assert len(pipeline[-1].items_) == 4
    result = skrec.recommend(pipeline, ["ann", "zoe"], exclude_seen=False)
    assert set(result["item_id"]) == {"x", "y", "z"}
    assert skrec.recommend(pipeline, ["zoe"], candidates=["w", "z"])["item_id"].tolist() == ["z", "w"]


# ------------------------------------------------------------------------------------------------------ what must fail


@pytest.mark.parametrize("k", [0, -1, 1.5, True, None, "3"])
def test_k_must_be_a_number_of_items(plain, k):
    with pytest.raises(ValueError, match=r"k=.* must be an integer of at least 1"):
        skrec.recommend(make_pipeline(plain), ["ann"], k)


class Lower(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self

    def transform(self, X):
        return X.apply(lambda column: column.str.lower())


@pytest.mark.parametrize(
    ("transformer", "message"),
    [
        (
            Lower(),
            r"Lower\(\) has no inverse_transform: ids cannot .* If it encodes them, .* Encode the ids with skrec",
        ),
        (OneHotEncoder(sparse_output=False), r"makes 7 columns of 2: it cannot be told which one column 0 comes from"),
        (
            FunctionTransformer(lambda X: X.apply(lambda c: c.astype("category").cat.codes)),
            "The transformers cannot be inverted: their inverse_transform maps the item",
        ),
    ],
)
def test_transformers_that_cannot_be_inverted(transformer, message):
    pipeline = make_pipeline(transformer, AffinityRanker(user=0, item=1)).fit(EVENTS, AFFINITY)
    with pytest.raises(ValueError, match=message):
        skrec.recommend(pipeline, ["ann"])


def test_what_the_message_about_a_history_encoder_says_to_do():
    events = make_interactions(n_users=30, n_items=12, random_state=0)
    pipeline = make_pipeline(HistoryEncoder(), DNNRanker(epochs=1, random_state=0)).set_output(transform="pandas")
    pipeline.fit(events)
    message = (
        r"^HistoryEncoder\(\) has no inverse.*pipeline\[-1\].recommend\(pipeline\[:-1\].transform\(rows\), k\), where"
    )
    with pytest.raises(ValueError, match=message):
        skrec.recommend(pipeline, [3, 5], 2)
    rows = pd.DataFrame({"user_id": [3, 5], "item_id": 1, "timestamp": events["timestamp"].max() + 1})
    result = pipeline[-1].recommend(pipeline[:-1].transform(rows), 2)
    assert result["user_id"].tolist() == [3, 3, 5, 5]
    assert result["item_id"].isin(events["item_id"]).all()


def test_what_is_not_fitted():
    with pytest.raises(NotFittedError):
        skrec.recommend(make_pipeline(OrdinalEncoder(), AffinityRanker()), ["ann"])
    with pytest.raises(NotFittedError, match="This GridSearchCV has no best_estimator_. Call fit first, with refit"):
        skrec.recommend(GridSearchCV(AffinityRanker(), {}), ["ann"])
    with pytest.raises(NotFittedError):
        skrec.recommend(Ridge(), ["ann"], candidates=["x"])


@pytest.mark.parametrize(
    ("argument", "value"),
    [("queries", "ann"), ("queries", 3), ("candidates", "x"), ("candidates", 3)],
)
def test_a_single_id_must_be_in_a_list(pipeline, argument, value):
    arguments = {"queries": ["ann"], "candidates": ["x"], argument: value}
    with pytest.raises(ValueError, match=rf"{argument}={value!r} must be a list or an array, also for a single id"):
        skrec.recommend(pipeline, **arguments)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_ids_are_refused_by_the_name_of_the_argument(pipeline, missing):
    for argument in ("queries", "candidates"):
        arguments = {"queries": ["ann"], "candidates": ["x"], argument: ["y", missing]}
        with pytest.raises(ValueError, match=rf"^{argument} contains NaN: there is no id in place 1"):
            skrec.recommend(pipeline, **arguments)


def test_queries_are_missing(pipeline, plain):
    for estimator in (pipeline, plain, Ridge().fit([[0, 1], [1, 0]], [0, 1])):
        with pytest.raises(ValueError, match=r"^recommend needs queries: pass user ids, .* a user column\.$"):
            skrec.recommend(estimator, k=2, candidates=["x"])


def test_no_candidates_and_no_queries(pipeline):
    with pytest.raises(ValueError, match="candidates is empty"):
        skrec.recommend(pipeline, ["ann"], candidates=[])
    with pytest.raises(ValueError, match="candidates is empty"):
        skrec.recommend(LogisticRegression().fit([[0, 1], [1, 0]], [0, 1]), [0], candidates=[])
    assert skrec.recommend(pipeline, []).shape == (0, 4)


@pytest.mark.parametrize("exclude", [["ann", "bob"], [("ann", "x", 1)], [1, 2]])
def test_exclude_must_hold_pairs(pipeline, exclude):
    with pytest.raises(ValueError, match=r"exclude must hold \(user, item\) pairs"):
        skrec.recommend(pipeline, ["ann"], exclude=exclude)


# ---------------------------------------------------------------------------------------------------- unwrapping


def test_unwrap_peels_everything_off():
    model = AffinityRanker()
    scaler, encoder = StandardScaler(), OrdinalEncoder()
    inner = Pipeline([("scale", scaler), ("nothing", "passthrough"), ("frozen", FrozenEstimator(encoder))])
    pipeline = Pipeline([("inner", inner), ("none", None), ("last", Pipeline([("model", model)]))])
    unwrapped = unwrap(FrozenEstimator(pipeline))
    assert unwrapped.transformers == [scaler, encoder]
    assert unwrapped.model is model
    assert is_recommender(model)
    assert not is_recommender(scaler)
    search = GridSearchCV(make_pipeline(ordinal(), Ridge()), {}, refit=True, cv=2).fit(EVENTS, AFFINITY)
    unwrapped = unwrap(search)
    np.testing.assert_array_equal(
        unwrapped.model.predict(unwrapped.transform(EVENTS)), search.best_estimator_.predict(EVENTS)
    )


def test_a_model_alone_is_handed_everything():
    class Model:
        def score_items(self):
            raise NotImplementedError

        def recommend(self, *args, **kwargs):
            return args, kwargs

    options = {"candidates": [1], "exclude_seen": False, "exclude": [(1, 2)], "as_frame": False}
    assert skrec.recommend(Model(), "queries", 3, **options) == (("queries", 3), options)


# --------------------------------------------------------------------------------------------------- foreign estimators


def test_a_classifier_ranks_by_the_probability_of_its_second_class():
    y = AFFINITY > 5
    pipeline = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(EVENTS, y)
    result = skrec.recommend(pipeline, ["cy", "ann"], k=3, candidates=ITEMS, exclude=[("ann", "y")])
    assert list(result) == ["user_id", "item_id", "score", "rank"]
    for user in ("cy", "ann"):
        rows = pd.DataFrame({"user_id": user, "item_id": ITEMS})
        rows["score"] = pipeline.predict_proba(rows)[:, 1]
        rows = rows[(rows.user_id != "ann") | (rows.item_id != "y")].nlargest(3, "score", keep="first")
        mine = result[result.user_id == user]
        assert mine["item_id"].tolist() == rows["item_id"].tolist()
        np.testing.assert_allclose(mine["score"], rows["score"])
        assert mine["rank"].tolist() == [1, 2, 3]


def test_a_regressor_with_features_of_users_and_items():
    X = EVENTS.assign(age=EVENTS.user_id.map({"ann": 20, "bob": 30, "cy": 40}), price=np.arange(12) % 4)
    columns = ["price", "user_id", "age", "item_id"]
    model = make_pipeline(ColumnTransformer([("n", "passthrough", ["age", "price"])]), Ridge()).fit(
        X[columns], 2.0 * X["price"] + X["age"]
    )
    users, items = X[["user_id", "age"]].drop_duplicates(), X[["price", "item_id"]]
    result = skrec.recommend(model, pl.from_pandas(users), k=1, candidates=items)
    assert result["item_id"].tolist() == ["w"] * 3
    np.testing.assert_allclose(result["score"], [26, 36, 46], rtol=0.05)
    with pytest.raises(ColumnError, match=r"fitted on the columns \['price', 'age'\], which neither"):
        skrec.recommend(model, ["ann"], candidates=["w"])
    with pytest.raises(ColumnError, match="both have the column 'age'"):
        skrec.recommend(model, users, candidates=items.assign(age=1))
    with pytest.raises(ColumnError, match="candidates has no column 'item_id'"):
        skrec.recommend(model, users, candidates=users)


def test_an_estimator_fitted_on_arrays():
    X = np.array([[u, i] for u in range(3) for i in range(4)])
    model = Ridge().fit(X, 10 * X[:, 0] - X[:, 1])
    items, scores = skrec.recommend(model, [2, 0], k=9, candidates=[3, 1, 1, 2], as_frame=False)
    assert items.tolist() == [[1, 2, 3], [1, 2, 3]]
    assert scores.shape == (2, 3)
    with pytest.raises(ValueError, match="must be ids, or rows in a DataFrame"):
        skrec.recommend(model, X, candidates=[1])
    wide = Ridge().fit(np.ones((3, 5)), [1, 2, 3])
    with pytest.raises(ValueError, match=r"was fitted on 5 column\(s\) without names, and the rows to score have 2"):
        skrec.recommend(wide, [1], candidates=[1])


def test_ties_stay_in_the_order_of_the_candidates():
    model = Ridge(alpha=1e9).fit(EVENTS.assign(user_id=0, item_id=0), np.ones(12))
    result = skrec.recommend(model, [1], candidates=[5, 3, 4])
    assert result["item_id"].tolist() == [5, 3, 4]


def test_foreign_estimators_that_cannot_rank():
    X = pd.DataFrame({"user_id": [1, 2, 3, 4], "item_id": [4, 3, 2, 1]})
    with pytest.raises(ValueError, match="Ridge has no catalogue of its own: pass candidates="):
        skrec.recommend(Ridge().fit(X, [1, 2, 3, 4]), [1])
    with pytest.raises(ValueError, match="LogisticRegression gives 3 scores a row"):
        skrec.recommend(LogisticRegression().fit(X, [0, 1, 2, 1]), [1], candidates=[1])
    with pytest.raises(TypeError, match="PCA cannot rank: it has no predict_proba, decision_function or predict"):
        skrec.recommend(PCA().fit(X), [1], candidates=[1])
    assert len(skrec.recommend(KMeans(n_clusters=2, n_init=1).fit(X), [1], candidates=[1, 2])) == 2


@pytest.mark.parametrize("encoder", [IDEncoder(min_frequency=3), ordinal(min_frequency=3)])
def test_users_that_an_encoder_merges_do_not_lose_each_others_items(encoder):
    events = pd.DataFrame({"user_id": [*"aaaabbbb", "r", "s", "s"], "item_id": [*"wxyzwxyv", "w", "x", "q"]})
    encoder = encoder.set_output(transform="pandas")
    pipeline = make_pipeline(encoder, PopularityRanker()).fit(events)
    with pytest.warns(UserWarning, match=r"2 of the 4 queries are users of fit whom min_frequency of .*exclude="):
        ranked = skrec.recommend(pipeline, ["s", "a", "r", "new"])
    assert ranked.groupby("user_id", sort=False)["item_id"].agg(list).to_dict() == {
        "s": ["w", "x"], "r": ["w", "x"], "new": ["w", "x"]
    }  # fmt: skip
    seen = [("s", "x"), ("s", "q"), ("r", "w")]
    ranked = skrec.recommend(pipeline, ["s", "a", "r", "new"], exclude=seen)  # as the warning says
    assert ranked.groupby("user_id", sort=False)["item_id"].agg(list).to_dict() == {
        "s": ["w"], "r": ["x"], "new": ["w", "x"]
    }  # fmt: skip
    assert len(skrec.recommend(pipeline, ["s", "r"], exclude_seen=False)) == 4
    assert len(skrec.recommend(pipeline, ["new"])) == 2


@pytest.mark.parametrize("encoder", [IDEncoder(min_frequency=2), IDEncoder(min_frequency=2, handle_unknown="error")])
@pytest.mark.parametrize("rare", ["user_id", "when"])
def test_of_a_column_an_encoder_may_have_kept_no_id_at_all(encoder, rare):
    events = pd.DataFrame({"user_id": [*"ababcc"], "item_id": [*"xxyyzx"], "when": [1, 1, 2, 2, 3, 3]})
    events[rare] = [f"{rare} {row}" for row in range(6)]
    pipeline = make_pipeline(encoder, PopularityRanker()).fit(events)
    user = events["user_id"].iloc[0]
    result = skrec.recommend(pipeline, [user], exclude_seen=False)
    assert result["item_id"].tolist() == ["x", "y"]
    assert set(result["user_id"]) == {user}


# ----------------------------------------------------------------------------------- candidates that differ by query


@pytest.mark.parametrize(
    "options",
    [
        {"candidates": {"zoe": ["new", "w"], "bob": ["y", "x", "y"], "ann": ["w"], "cy": []}, "exclude_seen": False},
        {"candidates": [["x", "z"], [], ["w"], ["new"]], "exclude": {"bob": ["x"]}},
        {"candidates": csr_array([[1, 1, 1], [0, 1, 1], [1, 0, 0], [0, 0, 1]])},
        {"candidates": pd.DataFrame({"user_id": ["bob", "ann", "bob"], "item_id": ["w", "z", "x"]})},
    ],
)
def test_a_pipeline_takes_candidates_that_differ_by_query(options):
    queries = ["bob", "zoe", "ann", "bob"]
    X = EVENTS[[True, True, False, True] * 3]
    alone = PopularityRanker().fit(X)
    for pipeline in (
        make_pipeline(IDEncoder(), PopularityRanker()),
        make_pipeline(
            ColumnTransformer([("ids", IDEncoder(), ["item_id", "user_id"])]), PopularityRanker(user=1, item=0)
        ),
    ):
        result = skrec.recommend(pipeline.fit(X), queries, 2, **options)
        pd.testing.assert_frame_equal(result, alone.recommend(queries, 2, **options))


def test_a_foreign_estimator_ranks_candidates_that_differ_by_query():
    X = pd.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [5, 6, 5, 6]})
    ridge = Ridge().fit(X, [0.0, 1.0, 1.0, 2.0])
    expected = [(2, 6, 1), (2, 5, 2), (1, 7, 1)]
    pairs = pd.DataFrame({"user_id": [1, 2, 2], "item_id": [7, 5, 6]})
    for candidates in ({2: [5, 6, 5], 1: [7]}, [[5, 6], [7]], pairs):
        frame = skrec.recommend(ridge, [2, 1], candidates=candidates)
        assert list(frame.drop(columns="score").itertuples(index=False, name=None)) == expected
    with pytest.raises(TypeError, match="sparse matrix, but the estimator has no catalogue"):
        skrec.recommend(ridge, [2], candidates=csr_array([[1]]))


def test_users_whom_an_encoder_merges_have_candidates_of_their_own():
    rare = pd.concat([EVENTS, pd.DataFrame({"user_id": ["rae", "ray"], "item_id": ["x", "y"]})])
    pipeline = make_pipeline(IDEncoder(min_frequency=2), PopularityRanker()).fit(rare)
    with pytest.warns(UserWarning, match="min_frequency"):
        frame = skrec.recommend(pipeline, ["rae", "ann", "ray"], candidates=[["x", "w"], ["z"], ["y"]])
    assert frame[["user_id", "item_id"]].to_numpy().tolist() == [["rae", "x"], ["rae", "w"], ["ray", "y"]]


def test_item_features_behind_transformers_are_those_of_all_queries():
    X = with_columns(EVENTS)
    ids = ColumnTransformer([("ids", IDEncoder(), ["user_id", "item_id"])], remainder="passthrough")
    ids.set_output(transform="pandas")
    pipeline = make_pipeline(ids, FMRanker(epochs=1, embedding_dim=2, item_features=["price"], random_state=0)).fit(X)
    with pytest.raises(ValueError, match=r"candidates by query come with the item features 'price'"):
        skrec.recommend(pipeline, ["ann"], candidates=X[["user_id", "item_id", "price"]][:2])
