"""Neighbors of items and users, and random walks: each recomputed with loops over dense arrays."""

import numpy as np
import pandas as pd
import pytest

from skrec.models import ItemKNNRanker, RP3BetaRanker, UserKNNRanker
from skrec.models.neighbors import _products

METRICS = [
    {"metric": "cosine"},
    {"metric": "cosine", "shrink": 3.0},
    {"metric": "asymmetric", "alpha": 0.2},
    {"metric": "asymmetric", "alpha": 1.0, "shrink": 1.5},
    {"metric": "jaccard"},
    {"metric": "jaccard", "shrink": 2.0},
    {"metric": "tversky", "alpha": 0.3, "beta": 1.4},
    {"metric": "cosine", "weighting": "tfidf"},
    {"metric": "cosine", "weighting": "bm25"},
    {"metric": "asymmetric", "weighting": "bm25", "alpha": 0.7},
    {"metric": "tversky", "weighting": "tfidf", "alpha": 0.1, "beta": 0.2},
]

PLAIN = {"n_neighbors": 100, "shrink": 0.0, "weighting": None}


def random_events(n_users=25, n_items=14, n_events=200, seed=0):
    random = np.random.default_rng(seed)
    items = (n_items * random.random(n_events) ** 2).astype(int)
    return pd.DataFrame({"user_id": random.integers(0, n_users, n_events), "item_id": items})


EVENTS = random_events()
MATRIX = pd.crosstab(EVENTS["user_id"], EVENTS["item_id"]).to_numpy().astype(float)


def weighted(documents, weighting, of=None):
    """Weights of terms by their definition; `of` are the documents from which they are learned."""
    known = documents if of is None else of
    n = len(known)
    result = np.zeros_like(documents)
    mean_length = known.sum() / n
    for row, document in enumerate(documents):
        for term, count in enumerate(document):
            frequency = sum(other[term] > 0 for other in known)
            if weighting is None or count == 0:
                result[row, term] = count
            elif weighting == "tfidf":
                result[row, term] = count * (np.log((1 + n) / (1 + frequency)) + 1)
            else:
                idf = np.log(1 + (n - frequency + 0.5) / (frequency + 0.5))
                length = 0.25 + 0.75 * document.sum() / mean_length
                result[row, term] = idf * count * 2.2 / (count + 1.2 * length)
    return result


def similarity(x, y, metric="cosine", weighting=None, shrink=0.0, alpha=0.5, beta=1.0):
    """Similarity of the vectors of one pair, by its definition."""
    dot, of_x, of_y = x @ y, x @ x, y @ y
    if metric == "cosine":
        divisor = np.sqrt(of_x) * np.sqrt(of_y)
    elif metric == "asymmetric":
        divisor = np.sqrt(of_x) ** (2 * alpha) * np.sqrt(of_y) ** (2 * (1 - alpha))
    elif metric == "jaccard":
        divisor = of_x + of_y - dot
    else:
        divisor = dot + alpha * (of_x - dot) + beta * (of_y - dot)
    return dot / (divisor + shrink)


@pytest.mark.parametrize("parameters", METRICS, ids=str)
def test_similarities_of_items_are_those_of_their_definition(parameters):
    model = ItemKNNRanker(**{**PLAIN, **parameters}).fit(EVENTS)
    vectors = weighted(MATRIX.T, parameters.get("weighting"))
    expected = [
        [0 if i == j else similarity(x, y, **parameters) for j, y in enumerate(vectors)] for i, x in enumerate(vectors)
    ]
    np.testing.assert_allclose(model.item_weights_.toarray(), expected, rtol=1e-5)
    np.testing.assert_allclose(model.score_items(model.users_), MATRIX @ expected, rtol=1e-4)


@pytest.mark.parametrize("parameters", METRICS, ids=str)
def test_similarities_of_users_are_those_of_their_definition(parameters):
    model = UserKNNRanker(**{**PLAIN, **parameters}).fit(EVENTS)
    history = np.zeros((1, MATRIX.shape[1]))
    history[0, [2, 3, 9]] = 2, 1, 1
    known = weighted(MATRIX, parameters.get("weighting"))
    for row in (MATRIX[:1], MATRIX[7:8], history):
        query = weighted(row, parameters.get("weighting"), of=MATRIX)[0]
        expected = sum(similarity(query, y, **parameters) * choices for y, choices in zip(known, MATRIX, strict=True))
        items = np.repeat(model.items_, row[0].astype(int)).tolist()
        np.testing.assert_allclose(model.score_items(history=[items])[0], expected, rtol=1e-4)


def test_jaccard_is_the_overlap_of_sets_and_equals_two_tversky_indices():
    events = EVENTS.drop_duplicates()
    sets = [set(part["user_id"]) for _, part in events.groupby("item_id")]
    expected = [[0 if i == j else len(a & b) / len(a | b) for j, b in enumerate(sets)] for i, a in enumerate(sets)]
    jaccard = ItemKNNRanker(metric="jaccard", shrink=0.0).fit(events).item_weights_.toarray()
    np.testing.assert_allclose(jaccard, expected, rtol=1e-6)
    tversky = ItemKNNRanker(metric="tversky", alpha=1.0, beta=1.0, shrink=0.0).fit(events).item_weights_.toarray()
    np.testing.assert_allclose(tversky, jaccard)
    dice = ItemKNNRanker(metric="tversky", alpha=0.5, beta=0.5, shrink=0.0).fit(events).item_weights_.toarray()
    expected = [
        [0 if i == j else 2 * len(a & b) / (len(a) + len(b)) for j, b in enumerate(sets)] for i, a in enumerate(sets)
    ]
    np.testing.assert_allclose(dice, expected, rtol=1e-6)


def test_an_asymmetric_similarity_of_one_is_the_conditional_probability_of_the_item():
    events = EVENTS.drop_duplicates()
    sets = [set(part["user_id"]) for _, part in events.groupby("item_id")]
    weights = ItemKNNRanker(metric="asymmetric", alpha=1.0, shrink=0.0).fit(events).item_weights_.toarray()
    for past, item in ((0, 5), (5, 0), (2, 11)):
        assert weights[past, item] == pytest.approx(len(sets[past] & sets[item]) / len(sets[past]))


def test_each_item_keeps_its_most_similar_items():
    whole = ItemKNNRanker(n_neighbors=1000).fit(EVENTS).item_weights_.toarray()
    kept = ItemKNNRanker(n_neighbors=3).fit(EVENTS).item_weights_.toarray()
    for item in range(whole.shape[1]):
        best = np.sort(whole[:, item])[-3:]
        np.testing.assert_allclose(np.sort(kept[:, item])[-3:], best)
        assert np.count_nonzero(kept[:, item]) == 3


def test_scores_come_from_the_most_similar_users():
    model = UserKNNRanker(n_neighbors=4, weighting=None).fit(EVENTS)
    history = MATRIX[3]
    similar = np.array([similarity(history, y) for y in MATRIX])
    best = np.argsort(-similar)[:4]
    assert best[0] == 3  # the user itself
    np.testing.assert_allclose(model.score_items([model.users_[3]])[0], similar[best] @ MATRIX[best], rtol=1e-5)


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.6, 0.7), (1.7, 1.2)])
def test_random_walks_are_products_of_probabilities(alpha, beta):
    model = RP3BetaRanker(n_neighbors=100, alpha=alpha, beta=beta, normalize=False).fit(EVENTS)
    to_items = (MATRIX / MATRIX.sum(axis=1, keepdims=True)) ** alpha
    to_users = (MATRIX.T / MATRIX.sum(axis=0)[:, None]) ** alpha
    expected = to_users @ to_items / MATRIX.sum(axis=0) ** beta
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.item_weights_.toarray(), expected, rtol=1e-5)
    normalized = RP3BetaRanker(n_neighbors=100, alpha=alpha, beta=beta, normalize=True).fit(EVENTS).item_weights_
    np.testing.assert_allclose(normalized.toarray(), expected / expected.sum(axis=1, keepdims=True), rtol=1e-5)
    kept = model.set_params(n_neighbors=2, normalize=False).fit(EVENTS).item_weights_.toarray()
    for past in range(len(expected)):
        np.testing.assert_allclose(np.sort(kept[past])[-2:], np.sort(expected[past])[-2:], rtol=1e-5)
        assert np.count_nonzero(kept[past]) == 2


def test_blocks_of_the_product_change_nothing(monkeypatch):
    whole = ItemKNNRanker(n_neighbors=4).fit(EVENTS)
    monkeypatch.setattr(_products, "_CELLS", 20)
    parts = ItemKNNRanker(n_neighbors=4).fit(EVENTS)
    np.testing.assert_array_equal(parts.item_weights_.toarray(), whole.item_weights_.toarray())


def test_neighbors_are_kept_sparse():
    random = np.random.default_rng(0)
    n = 30_000  # dense similarities of these items would take 3.6 GB
    events = pd.DataFrame({"user_id": np.arange(n) // 3, "item_id": random.permutation(n)})
    weights = ItemKNNRanker(n_neighbors=2).fit(events).item_weights_
    assert weights.shape == (n, n)
    assert weights.nnz == 2 * n


def test_errors():
    with pytest.raises(ValueError, match="alpha is 1.5, but metric='asymmetric' needs a value from 0 to 1"):
        ItemKNNRanker(metric="asymmetric", alpha=1.5).fit(EVENTS)
    with pytest.raises(ValueError, match="'metric' parameter of UserKNNRanker"):
        UserKNNRanker(metric="euclidean").fit(EVENTS)
    with pytest.raises(AttributeError, match="UserKNNRanker does not support similar items"):
        UserKNNRanker().fit(EVENTS).similar_items([0])


@pytest.mark.parametrize(
    "parameters",
    [
        {"metric": "asymmetric", "alpha": 0.2},
        {"metric": "cosine", "weighting": "bm25"},
        {"metric": "jaccard", "shrink": 2.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("n_neighbors", [4, 100])
def test_reverse_neighbors_are_users_who_have_the_query_among_their_own_neighbors(parameters, n_neighbors):
    model = UserKNNRanker(**{**PLAIN, **parameters, "n_neighbors": n_neighbors}, neighborhood="reverse").fit(EVENTS)
    vectors = weighted(MATRIX, parameters.get("weighting"))
    # similarities[i, j]: of the query i to the user j
    similarities = np.array([[similarity(x, y, **parameters) for y in vectors] for x in vectors])
    others = np.where(np.eye(len(MATRIX)), -1, similarities)
    least = np.sort(others, axis=0)[-n_neighbors] if n_neighbors < len(MATRIX) else np.zeros(len(MATRIX))
    expected = np.where(similarities >= least * (1 - 1e-6), similarities, 0) @ MATRIX
    alone = ~((expected > 0) & (MATRIX == 0)).any(axis=1)  # without other neighbors: by popularity
    expected[alone] = MATRIX.sum(axis=0) / MATRIX.sum()
    np.testing.assert_allclose(model.score_items(model.users_), expected, rtol=1e-4)
    history = np.repeat(model.items_, MATRIX[5].astype(int)).tolist()
    np.testing.assert_array_equal(model.score_items(history=[history])[0], model.score_items([model.users_[5]])[0])


def test_popular_users_have_many_reverse_neighbors():
    events = pd.DataFrame({"user_id": [1, 1, 1, 2, 3, 4], "item_id": ["a", "b", "c", "a", "b", "c"]})
    model = UserKNNRanker(n_neighbors=1, weighting=None, neighborhood="reverse").fit(events)
    # User 1 is the nearest neighbor of all others: each adds its similarity, 1 / sqrt(3), and user 1 adds 1.
    np.testing.assert_allclose(model.score_items([1])[0], np.full(3, 1 + 3**-0.5), rtol=1e-6)


def test_random_walks_pruned_on_both_sides_keep_the_largest_weights_of_past_items_and_then_of_items():
    parameters = {"alpha": 0.8, "beta": 0.4, "normalize": True}
    past = RP3BetaRanker(n_neighbors=5, **parameters).fit(EVENTS).item_weights_.toarray()
    both = RP3BetaRanker(n_neighbors=5, pruning="both", **parameters).fit(EVENTS).item_weights_.toarray()
    expected = np.where(past >= np.sort(past, axis=0)[-5], past, 0)
    assert np.count_nonzero(expected) < np.count_nonzero(past)
    np.testing.assert_array_equal(both, expected)
