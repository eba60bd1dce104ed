"""ContentRanker: items by their features, users by the features of what they chose."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize

import skrec
from skrec._data import ItemColumns
from skrec.exceptions import ColumnError, UnknownIdError
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import ColdItemKFold, LeaveLastOut
from skrec.models import ContentRanker
from skrec.preprocessing import IDEncoder
from skrec.testing import check_recommender

GENRES = ("crime", "drama", "space", "war")


def films(n=40, seed=0):
    """Items of one genre each, with a title of words of the genre, a year, and a vector."""
    random = np.random.default_rng(seed)
    genre = np.arange(n) % len(GENRES)
    return pd.DataFrame(
        {
            "item_id": [f"film{number}" for number in range(n)],
            "genres": [[GENRES[g], "film"] for g in genre],
            "title": [f"the {GENRES[g]} story number{number}" for number, g in enumerate(genre)],
            "year": 1950.0 + 10 * genre + random.integers(0, 5, n),
            "poster": [(np.eye(4)[g] + random.normal(0, 0.1, 4)).tolist() for g in genre],
            "studio": [f"studio {g}" for g in genre],
        }
    )


def events(items, n_users=24, n_each=5, seed=1):
    """Each user chooses films of one genre."""
    random = np.random.default_rng(seed)
    chosen = [
        (user, item)
        for user in range(n_users)
        for item in random.choice(
            np.flatnonzero(np.arange(len(items)) % len(GENRES) == user % len(GENRES)), n_each, False
        )
    ]
    frame = pd.DataFrame(chosen, columns=["user_id", "position"])
    return pd.concat([frame[["user_id"]], items.iloc[frame["position"]].reset_index(drop=True)], axis=1)


FILMS = films()
EVENTS = events(FILMS[:32])  # the last eight are new
COLUMNS = ["genres", "title", "year", "poster", "studio"]


@pytest.fixture(scope="module")
def model():
    return ContentRanker(item_features=COLUMNS, popularity=0).fit(EVENTS)


# -- known answers ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("columns", [*([name] for name in COLUMNS), COLUMNS])
@pytest.mark.parametrize("l2", [None, 1.0, 30.0])
def test_new_items_of_the_genre_of_a_user_come_first(columns, l2):
    table = EVENTS[["user_id", "item_id", *columns]]
    model = ContentRanker(item_features=columns, popularity=0, l2=l2).fit(table)
    new = FILMS.iloc[32:][["item_id", *columns]]
    found = model.recommend([0, 1, 2, 3], k=2, candidates=new)
    genre = found["item_id"].map(lambda item: int(item[4:]) % len(GENRES))
    assert (genre == found["user_id"] % len(GENRES)).all()


def test_the_kinds_of_columns_are_recognized():
    model = ContentRanker().fit(EVENTS)
    roles = model.column_roles_
    assert roles.loc[COLUMNS, "kind"].tolist() == ["multivalued", "text", "numeric", "array", "categorical"]
    assert (roles.loc[COLUMNS, "role"] == "item feature").all()
    assert model.feature_names_ == tuple(COLUMNS)


def test_columns_that_differ_within_an_item_are_ignored():
    random = np.random.default_rng(0)
    rows = pd.concat([EVENTS, EVENTS]).assign(rating=lambda frame: random.integers(1, 6, len(frame)))
    rows["age"] = rows["user_id"] * 2.0
    model = ContentRanker(popularity=0).fit(rows)
    assert model.feature_names_ == tuple(COLUMNS)
    assert model.column_roles_.loc[["rating", "age"], "role"].tolist() == ["ignored", "ignored"]
    assert "a feature of the user" in model.column_roles_.loc["age", "reason"]
    assert model.feature_positions("query") == ()
    assert model.feature_positions("item") == (2, 3, 4, 5, 6)


def test_unknown_users_and_empty_histories_get_popular_items(model):
    counts = EVENTS["item_id"].value_counts()
    best = model.recommend([99], k=3)["item_id"]
    assert counts[best].tolist() == sorted(counts, reverse=True)[:3]
    assert model.recommend(history=[[]], k=3)["item_id"].tolist() == best.tolist()


def test_a_history_without_features_counts_as_none():
    rows = pd.DataFrame({"user_id": [1, 2, 2, 3], "item_id": list("abca"), "genre": [None, "x", "y", None]})
    with pytest.warns(UserWarning, match=r"1 of 3 items, such as 'a', have no feature"):
        model = ContentRanker(item_features=["genre"], popularity=0).fit(rows)
    np.testing.assert_allclose(model.score_items([1]), [[0.5, 0.25, 0.25]])


# -- computed again ---------------------------------------------------------------------------------------------------


def reference(items, matrix, l2, popularity, shrinkage):
    """Scores of all items, by hand."""
    title = TfidfVectorizer(sublinear_tf=True).fit_transform(items["title"]).toarray()
    counts = CountVectorizer(analyzer=list).fit_transform(items["genres"])
    genres = TfidfTransformer().fit_transform(counts).toarray()
    vectors = normalize(np.hstack([title, genres]))
    weights = np.linalg.solve(vectors.T @ vectors + l2 * np.eye(vectors.shape[1]), vectors.T @ matrix.T).T
    n = matrix.sum(axis=1, keepdims=True)
    content = weights @ vectors.T / np.linalg.norm(weights, axis=1, keepdims=True) * n / (n + shrinkage)
    popular = np.log1p(matrix.sum(axis=0))
    popular /= popular.max()
    popular[popular == 0] = popular[popular > 0].mean()
    return content + popularity * popular


@pytest.mark.parametrize(("l2", "popularity", "shrinkage"), [(1.0, 0.0, 0.0), (30.0, 0.3, 2.0)])
def test_scores_are_those_computed_by_hand(l2, popularity, shrinkage):
    table = EVENTS[["user_id", "item_id", "title", "genres"]]
    model = ContentRanker(item_features=["title", "genres"], l2=l2, popularity=popularity, shrinkage=shrinkage).fit(
        table
    )
    items = FILMS.set_index("item_id").loc[model.items_]
    matrix = pd.crosstab(table["user_id"], table["item_id"]).reindex(columns=model.items_).to_numpy(float)
    expected = reference(items, matrix, l2, popularity, shrinkage)
    np.testing.assert_allclose(model.score_items(model.users_), expected, rtol=1e-5, atol=1e-6)
    found = model.predict(table)
    rows = model.users_.searchsorted(table["user_id"]), model.items_.searchsorted(table["item_id"])
    np.testing.assert_allclose(found, expected[rows], rtol=1e-5, atol=1e-6)


def test_without_l2_the_score_is_the_cosine_of_profile_and_item():
    table = EVENTS[["user_id", "item_id", "genres"]]
    model = ContentRanker(item_features=["genres"], l2=None, popularity=0).fit(table)
    vectors = model.item_vectors_.toarray()
    past = model.items_.searchsorted(table.loc[table["user_id"] == 3, "item_id"])
    profile = vectors[past].sum(axis=0)
    np.testing.assert_allclose(model.score_items([3])[0], vectors @ profile / np.linalg.norm(profile), rtol=1e-5)


def test_all_components_change_nothing():
    whole = ContentRanker(item_features=COLUMNS).fit(EVENTS)
    n_most = min(whole.item_vectors_.shape)
    assert whole.n_components_ is None
    reduced = ContentRanker(item_features=COLUMNS, n_components=n_most - 1, random_state=0).fit(EVENTS)
    assert reduced.n_components_ == n_most - 1
    np.testing.assert_allclose(reduced.score_items([0, 1]), whole.score_items([0, 1]), atol=0.02)


def test_a_column_of_weight_0_is_left_out():
    weighted = ContentRanker(item_features=COLUMNS, feature_weights={"genres": 2, "title": 0, 4: 0, 5: 0, 6: 0})
    alone = ContentRanker(item_features=["genres"])
    np.testing.assert_allclose(weighted.fit(EVENTS).score_items([0]), alone.fit(EVENTS).score_items([0]), rtol=1e-5)


def test_similarities_are_weighted_means_of_those_of_columns():
    model = ContentRanker(item_features=["genres", "title"], feature_weights={"title": 3}).fit(EVENTS)
    parts = [ContentRanker(item_features=[name]).fit(EVENTS).item_vectors_ for name in ("genres", "title")]
    genres, title = ((part @ part.T).toarray() for part in parts)
    expected = (genres[0] + 3 * title[0]) / 4
    similar = model.similar_items([model.items_[0]], k=31)
    at = model.items_.searchsorted(similar["similar_item"].astype(str))
    np.testing.assert_allclose(similar["score"], expected[at], rtol=1e-5)


def test_weights_of_rows_count_as_repeated_rows():
    weights = np.random.default_rng(0).integers(1, 4, len(EVENTS))
    weighted = ContentRanker(item_features=COLUMNS).fit(EVENTS, sample_weight=weights)
    repeated = ContentRanker(item_features=COLUMNS).fit(EVENTS.loc[EVENTS.index.repeat(weights)])
    np.testing.assert_allclose(weighted.score_items([0, 5]), repeated.score_items([0, 5]), rtol=1e-5)


# -- more rows and other containers -----------------------------------------------------------------------------------


def test_partial_fit_equals_fit_on_all():
    whole = ContentRanker(item_features=COLUMNS, random_state=0).fit(EVENTS)
    parts = ContentRanker(item_features=COLUMNS, random_state=0)
    for part in np.array_split(np.arange(len(EVENTS)), 3):
        parts.partial_fit(EVENTS.iloc[part])
    items = whole.items_
    np.testing.assert_allclose(parts.score_items([0, 9, 99], items), whole.score_items([0, 9, 99], items), rtol=1e-5)
    parts.partial_fit(EVENTS[:10], seen=True)
    np.testing.assert_allclose(parts.score_items([0], items), whole.score_items([0], items), rtol=1e-5)


def test_items_join_the_catalogue_by_rows_that_are_no_positives():
    model = ContentRanker(item_features=COLUMNS, popularity=0).fit(EVENTS)
    new = FILMS.iloc[32:].assign(user_id=0)[EVENTS.columns]
    model.partial_fit(pd.concat([EVENTS[:1], new]), [1] + [0] * len(new))
    assert set(new["item_id"]) <= set(model.items_)
    best = model.recommend([1], k=8)["item_id"]
    assert {"film33", "film37"} <= set(best)


@pytest.mark.parametrize("y", [0, np.zeros(8)], ids=["number", "array"])
def test_new_items_may_come_without_any_positive(y):
    model = ContentRanker(item_features=COLUMNS, popularity=0).fit(EVENTS)
    new = FILMS.iloc[32:].assign(user_id=0)[EVENTS.columns]
    model.partial_fit(new, y)
    assert set(new["item_id"]) <= set(model.items_)
    assert {"film33", "film37"} <= set(model.recommend([1], k=8)["item_id"])
    labels = np.repeat([1, 0], [len(EVENTS), len(new)])
    whole = ContentRanker(item_features=COLUMNS, popularity=0).fit(pd.concat([EVENTS, new]), labels)
    np.testing.assert_allclose(model.score_items([0, 1, 2], whole.items_), whole.score_items([0, 1, 2]), rtol=1e-5)
    assert not model.seen_items([0])[:, np.isin(model.items_, new["item_id"])].nnz


def test_rows_of_one_item_must_agree(model):
    new = FILMS.iloc[32:34][["item_id", *COLUMNS]]
    again = new.assign(genres=new["genres"].map(lambda genres: genres[::-1]))  # the same set
    alone = model.recommend([0], candidates=new)
    pd.testing.assert_frame_equal(model.recommend([0], candidates=pd.concat([new, again])), alone)
    other = pd.concat([new, new.iloc[1:].assign(year=1930)], ignore_index=True)
    message = (
        f"candidates has 2 rows of item '{new['item_id'].iloc[1]}' with different values in column 'year': "
        rf"{new['year'].iloc[1]} in row 1 and 1930.0 in row 2. Keep one row for each item, .*drop_duplicates"
    )
    with pytest.raises(ValueError, match=message):
        model.recommend([0], candidates=other)
    with pytest.raises(ValueError, match=message):
        model.recommend([0], candidates=other.assign(user_id=0))
    assert len(model.recommend([0, 1], candidates=other.assign(user_id=[0, 0, 1]))) == 3  # lists of two users


def test_the_latest_known_value_counts():
    rows = pd.DataFrame(
        {
            "user_id": [1, 2, 3, 4],
            "item_id": ["a", "a", "b", "a"],
            "timestamp": [3, 9, 1, 5],
            "genre": ["old", "new", "other", "older"],
            "size": [1.0, None, 2.0, 7.0],
        }
    )
    fitted = ContentRanker(item_features=["genre", "size"]).fit(rows)
    later = ContentRanker(item_features=["genre", "size"])
    for row in (1, 3, 2, 0):
        later.partial_fit(rows.iloc[[row]]) if row != 1 else _quietly(later.partial_fit, rows.iloc[[row]])
    for model in (fitted, later):
        values = dict(zip(model._item_columns.names, model._item_values.columns, strict=True))
        at = {item: place for place, item in enumerate(model.items_)}
        assert values["genre"][at["a"]] == "new"
        assert values["size"][at["a"]] == 7.0  # the last row of it has none


def _quietly(function, *arguments):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function(*arguments)


@pytest.mark.parametrize("make", [pl.from_pandas, lambda frame: frame.convert_dtypes()])
def test_containers_give_equal_scores(make, model):
    columns = ["user_id", "item_id", "genres", "title", "year", "studio"]
    one = ContentRanker(item_features=columns[2:]).fit(EVENTS[columns])
    other = ContentRanker(item_features=columns[2:]).fit(make(EVENTS[columns]))
    np.testing.assert_allclose(other.score_items([0, 1]), one.score_items([0, 1]), rtol=1e-6)
    new = FILMS.iloc[32:][columns[1:]]
    np.testing.assert_allclose(other.score_items([0, 1], make(new)), one.score_items([0, 1], new), rtol=1e-6)


def test_delimited_strings_are_lists():
    joined = EVENTS.assign(genres=EVENTS["genres"].map("|".join))[["user_id", "item_id", "genres"]]
    model = ContentRanker(item_features=["genres"], multivalued_features=["genres"]).fit(joined)
    lists = ContentRanker(item_features=["genres"]).fit(EVENTS[["user_id", "item_id", "genres"]])
    np.testing.assert_allclose(model.score_items([0, 1]), lists.score_items([0, 1]))


def test_an_array_without_names():
    random = np.random.default_rng(0)
    genre = np.repeat(np.arange(10) % 2, 6)
    X = np.column_stack([random.integers(0, 8, 60) * 2 + genre, np.repeat(np.arange(10), 6), genre])
    model = ContentRanker(item_features=[2], popularity=0).fit(X)
    new = np.array([[0, 90, 0], [0, 91, 1]])
    user = int(X[0, 0])
    assert model.recommend([user], k=1, candidates=new, as_frame=False)[0].tolist() == [[90 + genre[0]]]


def test_histories_of_anonymous_users(model):
    found = model.recommend(history=[["film0", "film4"], ["film1"]], k=2)
    assert [int(item[4:]) % 4 for item in found["item_id"]] == [0, 0, 1, 1]
    known = EVENTS.loc[EVENTS["user_id"] == 2, "item_id"].tolist()
    np.testing.assert_allclose(model.score_items(history=[known]), model.score_items([2]), rtol=1e-6)


def test_candidates_that_differ_by_user_and_have_features(model):
    pairs = FILMS.iloc[[32, 33, 34]].assign(user_id=[0, 0, 1])
    found = model.recommend([0, 1], k=1, candidates=pairs)
    assert found["item_id"].tolist() == ["film32", "film34"]


def test_new_items_are_scored_as_if_known(model):
    known = FILMS.iloc[:8]
    by_row = model.score_items([0, 1], known)
    np.testing.assert_allclose(by_row, model.score_items([0, 1], known["item_id"]), rtol=1e-6)
    renamed = known.assign(item_id=[f"new{number}" for number in range(8)])
    np.testing.assert_allclose(model.score_items([0, 1], renamed), by_row, rtol=1e-6)  # popularity=0


def test_saved_and_loaded(tmp_path, model):
    for parameters in ({}, {"n_components": 5}, {"l2": None}, {"text_vectorizer": CountVectorizer()}):
        fitted = ContentRanker(item_features=COLUMNS, random_state=0, **parameters).fit(EVENTS)
        skrec.save(fitted, tmp_path / "model.skrec")
        loaded = skrec.load(tmp_path / "model.skrec")
        np.testing.assert_array_equal(loaded.score_items([0, 1], FILMS), fitted.score_items([0, 1], FILMS))
        loaded.partial_fit(EVENTS[:5])


class IdsAsFeatures(ContentRanker):
    """Items of the check have no features but their ids."""

    def _find_columns(self, rows, users, items):
        return ItemColumns(("item_id",), (self._estimator_roles.item,), ("categorical",), (0,), ("",))


def test_it_passes_the_checks_of_recommenders():
    check_recommender(IdsAsFeatures(), personalised=False)


def test_behind_a_column_transformer_and_a_pipeline():
    encoder = ColumnTransformer([("title", "passthrough", ["user_id", "item_id", "title", "year"])])
    encoder.set_output(transform="pandas")
    pipeline = make_pipeline(encoder, ContentRanker(user="user_id", item="item_id", item_features=["title", "year"]))
    pipeline.fit(EVENTS)
    plain = ContentRanker(item_features=["title", "year"]).fit(EVENTS[["user_id", "item_id", "title", "year"]])
    new = FILMS.iloc[32:][["item_id", "title", "year"]]
    expected = plain.recommend([0, 1], k=3, candidates=new)
    found = skrec.recommend(pipeline, [0, 1], k=3, candidates=new)
    assert found["item_id"].tolist() == expected["item_id"].tolist()


# -- bad input --------------------------------------------------------------------------------------------------------


def test_ids_alone_are_refused():
    with pytest.raises(ColumnError, match=r"needs features of the items, but X has no columns besides.*merge"):
        ContentRanker().fit(EVENTS[["user_id", "item_id"]])


def test_columns_of_other_sides_are_no_features():
    rows = pd.concat([EVENTS[["user_id", "item_id"]]] * 2).assign(age=lambda frame: frame["user_id"] * 2.0)
    with pytest.raises(ColumnError, match=r"no column is one: 'age' is a feature of the user .*item_features="):
        ContentRanker().fit(rows)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"item_features": ["genre"]}, "'genre', which is not a column of X"),
        ({"item_features": ["item_id"]}, "which is the user, the item or the time"),
        ({"item_features": []}, "item_features is empty"),
        ({"text_features": ["user_id"]}, "which is the user, the item or the time"),
        ({"text_features": ["year"]}, r"Column 'year' is one of text, but has \d+.0 \(float\) in row 0"),
        ({"feature_weights": {"titel": 2}}, "feature_weights names 'titel'.*Did you mean 'title'"),
        ({"feature_weights": {"title": -1}}, r"feature_weights\['title'\] is -1"),
        ({"feature_weights": dict.fromkeys(COLUMNS, 0)}, "All feature_weights are 0"),
        ({"l2": 0.0}, "l2"),
    ],
)
def test_bad_parameters_are_named(parameters, message):
    model = ContentRanker(**{"item_features": COLUMNS, **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(EVENTS)
    assert not hasattr(model, "items_")


def test_items_that_all_lack_features_are_refused():
    rows = EVENTS[["user_id", "item_id"]].assign(genre=None)
    with pytest.raises(ValueError, match="No item has a feature"):
        ContentRanker(item_features=["genre"]).fit(rows)


def test_features_that_differ_between_the_rows_of_an_item_cause_a_warning():
    rows = pd.concat([EVENTS] * 3, ignore_index=True)[["user_id", "item_id", "studio"]]
    rows["studio"] += rows["item_id"].str[-1]
    rows.loc[0, "studio"] = "studio other"
    with pytest.warns(UserWarning, match="'studio' is the same in all rows of an item, except for"):
        ContentRanker().fit(rows)


def test_candidates_with_misspelled_columns_are_refused(model):
    with pytest.raises(ColumnError, match="lack the column"):
        model.recommend([0], candidates=FILMS.rename(columns={"title": "titel"}))
    with pytest.raises(ColumnError, match="'price', which fit did not see"):
        model.recommend([0], candidates=FILMS.assign(price=1))


def test_a_failed_partial_fit_changes_nothing(model):
    before = model.score_items([0, 1])
    with pytest.raises(ValueError, match="year"):
        model.partial_fit(EVENTS.assign(year="soon"))
    np.testing.assert_array_equal(model.score_items([0, 1]), before)


def test_unknown_items_can_be_refused():
    model = ContentRanker(item_features=COLUMNS, handle_unknown="error").fit(EVENTS)
    with pytest.raises(UnknownIdError, match="film32"):
        model.recommend([0], candidates=FILMS)


def test_one_item_and_values_that_nobody_knows():
    one = ContentRanker(item_features=["genre"]).fit(pd.DataFrame({"user_id": [1], "item_id": ["a"], "genre": ["x"]}))
    found = one.score_items([1], pd.DataFrame({"item_id": ["a", "b", "c"], "genre": ["x", "never seen", None]}))
    assert found[0, 0] > found[0, 1] == found[0, 2]


def test_vectors_are_of_length_1(model):
    assert sparse.issparse(model.item_vectors_)
    np.testing.assert_allclose(np.sqrt(model.item_vectors_.power(2).sum(axis=1)), 1.0)


# -- explanations and similar items -----------------------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [{}, {"l2": None}, {"n_components": 6, "random_state": 0}])
def test_contributions_of_past_items_and_of_features_add_up_to_the_score(parameters):
    model = ContentRanker(item_features=COLUMNS, popularity=0, shrinkage=1.0, **parameters).fit(EVENTS)
    new = FILMS.iloc[[33, 34]]
    expected = [model.score_items([user], new.iloc[[at]])[0, 0] for at, user in enumerate([1, 2])]
    for explained in (model.explain([1, 2], new), model.explain_features([1, 2], new)):
        assert explained.columns[:3].tolist() == ["query", "user_id", "item_id"]
        np.testing.assert_allclose(explained.groupby("query")["contribution"].sum(), expected, rtol=1e-5)
        assert explained["item_id"].unique().tolist() == ["film33", "film34"]


def test_the_features_that_match_are_named(model):
    best = model.explain_features([3], FILMS.iloc[[35]])
    named = {(feature, value) for feature, value in best[["feature", "value"]].to_numpy().tolist()}
    assert named >= {("genres", "war"), ("title", "war"), ("year", None), ("poster", None), ("studio", "studio 3")}
    assert ("title", "number35") not in named  # no known item has it
    assert best["feature"].value_counts()[["year", "poster"]].tolist() == [1, 1]
    assert best["contribution"].abs().is_monotonic_decreasing
    other = model.explain_features([3], FILMS.iloc[[32]]).set_index(["feature", "value"])["contribution"]
    assert other["genres", "crime"] < best.set_index(["feature", "value"])["contribution"]["genres", "war"]


def test_recommendations_and_sessions_are_explained(model):
    found = model.recommend([0, 1], k=2)
    explained = model.explain(found)
    assert explained["query"].nunique() == 4
    of_session = model.explain(history=[["film0", "film1"]], items=["film4"])
    assert of_session["past_item"].tolist()[0] == "film0"
    with pytest.raises(ValueError, match="explain_features needs the items to explain"):
        model.explain_features([0])
    assert len(model.explain_features([], [])) == 0


def test_new_items_are_compared_by_their_features(model):
    similar = model.similar_items(FILMS.iloc[32:34], k=3)
    assert [int(item[4:]) % 4 for item in similar["similar_item"]] == [0, 0, 0, 1, 1, 1]
    known = model.similar_items(["film3"], k=5)
    by_row = model.similar_items(FILMS.iloc[[3]], k=5)
    pd.testing.assert_frame_equal(known, by_row)
    assert "film3" not in known["similar_item"].tolist()
    with pytest.raises(UnknownIdError, match="film33"):
        model.similar_items(["film33"])


# -- searches and properties ------------------------------------------------------------------------------------------


def found_new_items(estimator, X, y=None):
    """Share of the held-out users whose best new item is of their genre."""
    items = X.drop(columns="user_id").drop_duplicates("item_id")
    best = skrec.recommend(estimator, X["user_id"].unique(), k=1, candidates=items, exclude_seen=False)
    return float((best["item_id"].str[4:].astype(int) % len(GENRES) == best["user_id"] % len(GENRES)).mean())


def test_a_search_over_new_items_behind_a_pipeline():
    encoder = ColumnTransformer(
        [("ids", IDEncoder(), ["user_id", "item_id"])], remainder="passthrough", verbose_feature_names_out=False
    ).set_output(transform="pandas")
    pipeline = make_pipeline(encoder, ContentRanker(item_features=COLUMNS, popularity=0))
    folds = ColdItemKFold(2, shuffle=True, random_state=0)
    grid = {"contentranker__feature_weights": [{"genres": 0, "title": 0, "studio": 0, "poster": 0}, None]}
    search = GridSearchCV(pipeline, grid, cv=folds, scoring=found_new_items, error_score="raise").fit(EVENTS)
    assert search.best_score_ > 0.9
    scorer = make_ranking_scorer("ndcg@10")
    model = ContentRanker(item_features=COLUMNS)
    warm = GridSearchCV(model, {"l2": [1.0, 30.0]}, cv=LeaveLastOut(), scoring=scorer, error_score="raise")
    assert warm.fit(EVENTS).best_score_ > 0.3


words = st.text(alphabet="ab ", max_size=6)
tables = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 5),
        st.one_of(st.none(), words),
        st.one_of(st.none(), st.lists(st.sampled_from("xyz"), max_size=3)),
        st.one_of(st.none(), st.floats(-1e30, 1e30)),
    ),
    min_size=2,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=tables, l2=st.sampled_from([None, 1e-6, 1.0, 1e9]), cut=st.integers(1, 11))
def test_any_table_is_scored_by_finite_numbers_or_refused(rows, l2, cut):
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "text", "tags", "size"])
    frame["size"] = frame["size"].astype(float)
    options = {"item_features": ["text", "tags", "size"], "text_features": ["text"], "multivalued_features": ["tags"]}
    model = ContentRanker(l2=l2, **options)
    if frame[["text", "tags", "size"]].isna().all().all():
        with pytest.raises(ValueError, match="No item has a feature"):
            _quietly(model.fit, frame)
        return
    _quietly(model.fit, frame)
    scores = model.score_items(model.users_)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(model.score_items(model.users_, model.items_), scores, rtol=1e-4, atol=1e-5)
    shuffled = _quietly(ContentRanker(l2=l2, **options).fit, frame.iloc[np.argsort(frame["item_id"], kind="stable")])
    np.testing.assert_allclose(shuffled.score_items(model.users_), scores, rtol=1e-3, atol=1e-4)
    first = frame.iloc[: max(1, min(cut, len(frame) - 1))]
    if first[["text", "tags", "size"]].isna().all().all():
        return
    parts = _quietly(ContentRanker(l2=l2, **options).fit, first)
    _quietly(parts.partial_fit, frame.iloc[len(first) :])
    np.testing.assert_allclose(parts.score_items(model.users_, model.items_), scores, rtol=1e-3, atol=1e-4)
