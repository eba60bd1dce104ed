"""Several metrics at once, the AUC of each user, and whole lists, against scikit-learn and trec_eval."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.metrics import label_ranking_average_precision_score, ndcg_score, roc_auc_score, top_k_accuracy_score

from skrec import metrics
from skrec.metrics import make_ranking_scorer, ranking_metrics, user_auc

EXACT = {"rtol": 0, "atol": 1e-12}
CUTS = (1, 5, 10, 100)


def rankings(seed, levels, *, n_users=60, n_items=40):
    """Random relevance (0 to 4, mostly 0; of some users nothing) and scores of so few levels that many are tied."""
    rng = np.random.default_rng(seed)
    y_true = rng.integers(0, 5, (n_users, n_items)) * (rng.random((n_users, n_items)) < rng.random((n_users, 1)) / 2)
    return y_true, rng.integers(0, levels, (n_users, n_items)).astype(float)


def untied(y_true, y_pred):
    """Scores of the order that ties have by the rule: the less relevant first."""
    order = np.lexsort((y_true, -y_pred), axis=1)
    scores = np.empty(y_pred.shape)
    np.put_along_axis(scores, order, -np.arange(y_pred.shape[1], dtype=float)[None], axis=1)
    return scores


# ------------------------------------------------------------------------------------- another library's, ties included


@pytest.mark.parametrize("levels", [2, 6, 10**6])
def test_scikit_learn_agrees(levels):
    y_true, y_pred = rankings(levels, levels)
    y_true = y_true[(y_true > 0).any(axis=1)]
    y_pred = y_pred[: len(y_true)]
    order = untied(y_true, y_pred)
    relevant = y_true > 0
    ours = ranking_metrics(y_true, y_pred, ["map", "auc", *(f"ndcg@{k}" for k in CUTS)])
    for k in CUTS:
        assert ours[f"ndcg@{k}"] == pytest.approx(ndcg_score(y_true, order, k=k), abs=1e-12)
    assert ours["map"] == pytest.approx(label_ranking_average_precision_score(relevant, order), abs=1e-12)
    # Its AUC has ties by itself.
    expected = [roc_auc_score(row, scores) for row, scores in zip(relevant, y_pred, strict=True)]
    np.testing.assert_allclose(user_auc(y_true, y_pred, per_user=True), expected, **EXACT)
    assert ours["auc"] == pytest.approx(np.mean(expected), abs=1e-12)


def test_scikit_learn_agrees_on_ties_by_itself_with_one_relevant_item():
    """label_ranking_average_precision_score counts ties against a single relevant item, as all ranks here do."""
    rng = np.random.default_rng(0)
    y_pred = rng.integers(0, 7, (200, 30))
    target = rng.integers(0, 30, 200)
    y_true = np.eye(30)[target]
    expected = label_ranking_average_precision_score(y_true, y_pred)
    assert ranking_metrics(y_true, y_pred, ["map", "mrr"]) == pytest.approx(
        {"map": expected, "mrr": expected}, abs=1e-12
    )
    for k in (1, 3, 10):
        hits = top_k_accuracy_score(target, untied(y_true, y_pred), k=k, labels=np.arange(30))
        assert ranking_metrics(y_true, y_pred, [f"hr@{k}", f"recall@{k}"]) == pytest.approx(
            {f"hr@{k}": hits, f"recall@{k}": hits}, abs=1e-12
        )


@pytest.mark.parametrize("levels", [2, 6, 10**6])
def test_trec_eval_agrees(levels):
    """It breaks ties by name, the last first: here the less relevant have the later names."""
    pytrec_eval = pytest.importorskip("pytrec_eval")
    y_true, y_pred = rankings(levels, levels)
    kept = (y_true > 0).any(axis=1)
    y_true, y_pred = y_true[kept], y_pred[kept]
    judged, run = {}, {}
    for user, (row, scores) in enumerate(zip(y_true, y_pred, strict=True)):
        names = [f"{9 - gain}-{item}" for item, gain in enumerate(row)]
        judged[str(user)] = {name: int(gain) for name, gain in zip(names, row, strict=True)}
        run[str(user)] = dict(zip(names, scores.tolist(), strict=True))
    cuts = ",".join(map(str, CUTS))
    measures = {f"{name}.{cuts}" for name in ("ndcg_cut", "P", "recall", "success")} | {"map", "recip_rank"}
    found = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(run)
    theirs = pd.DataFrame.from_dict(found, orient="index").reset_index(drop=True)
    kinds = {"ndcg_cut": "ndcg", "P": "precision", "recall": "recall", "success": "hr"}
    names = {f"{kind}_{k}": f"{ours}@{k}" for k in CUTS for kind, ours in kinds.items()}
    names |= {"map": "map", "recip_rank": "mrr"}
    ours = ranking_metrics(y_true, y_pred, [*names.values()], per_user=True)
    pd.testing.assert_frame_equal(ours, theirs[[*names]].rename(columns=names), check_exact=False, **EXACT)


# ----------------------------------------------------------------------------------------------------- AUC of each user


def auc_by_hand(y_true, y_pred):
    pairs = [
        (p > n) + (p == n) / 2
        for p, hit in zip(y_pred, y_true, strict=True) if hit > 0
        for n, other in zip(y_pred, y_true, strict=True) if other <= 0
    ]  # fmt: skip
    return np.mean(pairs) if pairs else np.nan


scored = st.integers(1, 9).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(-1, 2), min_size=n, max_size=n) for _ in range(2)])
)
lists = st.lists(scored, min_size=1, max_size=4)


@settings(max_examples=60)
@given(lists, st.sampled_from([1.0, np.inf]))
def test_auc_counts_ties_half(users, top):
    """By groups of any size; infinite scores are tied with each other."""
    expected = [auc_by_hand(y_true, y_pred) for y_true, y_pred in users]
    rows = [
        (f"u{user}", y, s * top if s > 1 else s) for user, pair in enumerate(users) for y, s in zip(*pair, strict=True)
    ]
    groups, y_true, y_pred = zip(*rows, strict=True)
    values = user_auc(y_true, y_pred, groups=groups, per_user=True)
    np.testing.assert_allclose(values, expected, **EXACT)
    assert values.name == "auc"
    if not np.isnan(expected).all():
        assert user_auc(y_true, y_pred, groups=groups) == pytest.approx(np.nanmean(expected))


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 1000]), st.sampled_from([0.0, 0.1, 0.6, 1.0]))
def test_auc_of_an_array_equals_that_of_its_rows(seed, levels, share):
    rng = np.random.default_rng(seed)
    y_true = rng.random((6, 14)) < share
    y_pred = rng.integers(0, levels, (6, 14)).astype(np.float32)
    y_pred[rng.random((6, 14)) < 0.1] = np.inf
    y_pred[rng.random((6, 14)) < 0.1] = -np.inf
    expected = [auc_by_hand(*row) for row in zip(y_true, y_pred, strict=True)]
    np.testing.assert_allclose(user_auc(csr_array(y_true), y_pred, per_user=True), expected, **EXACT)
    groups = np.repeat(np.arange(6), 14)
    np.testing.assert_allclose(
        user_auc(y_true.ravel(), y_pred.ravel(), groups=groups, per_user=True), expected, **EXACT
    )


def test_auc_needs_a_pair():
    for y_true in ([[1, 1]], [[0, 0]]):
        with pytest.raises(ValueError, match="No user has both an item above 0 in y_true and another"):
            user_auc(y_true, [[1, 2]])


def test_auc_of_protocols_counts_as_by_hand(random_ranker):
    """An item that training did not hold loses every pair; items left out are in none."""
    train = pd.DataFrame({"user_id": [1, 1, 2, 3], "item_id": [10, 11, 12, 13]})
    model = random_ranker().fit(train)
    model.table_[:] = [4, 3, 2, 1]
    model.table_[1] = [9, 1, 2, 2]
    test = pd.DataFrame({"user_id": [1, 1, 1, 2, 9], "item_id": [12, 99, 13, 10, 77]})
    y = [1, 1, 0, 1, 1]
    full = make_ranking_scorer(["auc", "map"]).evaluate(model, test, y)
    # User 1: 12 is tied with 13, 10 and 11 are left out, 99 is unknown. User 9 has nothing but an unknown item.
    assert full.per_user["auc"].to_dict() == {1: (0.5 + 0) / 2, 2: 1, 9: 0}
    assert full.per_user["map"].to_dict() == {1: (1 / 2) / 2, 2: 1, 9: 0}
    candidates = {1: [11, 13, 12], 2: [10], 9: [10, 11]}
    sampled = make_ranking_scorer(["auc", "mrr"], protocol="sampled", candidates=candidates).evaluate(model, test, y)
    # The pair of user 2 is among no candidates: any order is right.
    np.testing.assert_array_equal(sampled.per_user["auc"], [(0.75 + 0) / 2, np.nan, 0])
    assert sampled.metrics["auc"] == (0.375 + 0) / 2
    ranked = test.assign(item_id=[12, 11, 13, 10, 11])
    rerank = make_ranking_scorer(["auc", "ndcg@5"], protocol="rerank").evaluate(model, ranked, [1, 0, 0, 1, 1])
    assert rerank.per_user["auc"].to_dict() == {1: 0.75}


def test_auc_without_anything_irrelevant_is_told_of(random_ranker):
    X = pd.DataFrame({"user_id": [1, 1], "item_id": [10, 11]})
    with pytest.raises(ValueError, match="'auc' has no value for any of the 1 users"):
        make_ranking_scorer("auc")(random_ranker().fit(X), X)


# ------------------------------------------------------------------------------------------------------ several at once


def test_several_metrics_are_those_of_the_functions():
    y_true, y_pred = rankings(3, 5)
    functions = {"ndcg": "ndcg", "recall": "recall", "precision": "precision", "hit_rate": "hit_rate",
                 "map": "average_precision", "mrr": "reciprocal_rank"}  # fmt: skip
    names = {f"{name}@{k}": (f"{function}_at_k", k) for name, function in functions.items() for k in CUTS}
    names |= {"map": ("average_precision_at_k", None), "mrr": ("reciprocal_rank_at_k", None)}
    frame = ranking_metrics(y_true, y_pred, [*names], per_user=True)
    means = ranking_metrics(y_true, y_pred, [*names])
    for name, (function, k) in names.items():
        np.testing.assert_array_equal(getattr(metrics, function)(y_true, y_pred, k=k, per_user=True), frame[name])
        assert means[name] == frame[name].mean()
    assert frame.isna().any(axis=None)  # users without relevant items


def test_rows_with_groups_have_their_users_as_index():
    groups = pd.Series([7, 8, 7], name="user_id")
    frame = ranking_metrics([1, 1, 0], [1, 2, 3], ["mrr", "auc"], groups=groups, per_user=True)
    expected = pd.DataFrame({"mrr": [0.5, 1], "auc": [0, np.nan]}, index=pd.Index([7, 8], name="user_id"))
    pd.testing.assert_frame_equal(frame, expected)
    assert ranking_metrics([1, 1, 0], [1, 2, 3], "mrr", groups=groups) == {"mrr": 0.75}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "metrics is empty"),
        (["novelty@5"], "'novelty@5' describes lists of a whole catalogue: call novelty_at_k with lists"),
        (["neg_gini@5"], "call gini_at_k with lists, or use make_ranking_scorer"),
    ],
)
def test_names_that_arrays_have_not(names, message):
    with pytest.raises(ValueError, match=message):
        ranking_metrics([[1]], [[1]], names)
