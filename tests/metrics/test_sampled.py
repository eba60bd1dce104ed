"""The sampled protocol: frozen and drawn candidates, and the published figure of popularity on NCF's split."""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skrec.metrics import make_ranking_scorer

events = st.lists(st.tuples(st.integers(1, 5), st.integers(10, 17)), min_size=1, max_size=15)
lists = st.fixed_dictionaries({user: st.lists(st.integers(10, 19), max_size=6) for user in range(1, 6)})


def frame(rows):
    return pd.DataFrame(rows, columns=["user_id", "item_id"])


@pytest.mark.filterwarnings("ignore:None of the .* candidates")
@pytest.mark.parametrize("few", [False, True], ids=["whole catalogue", "candidates only"])
@settings(max_examples=60, deadline=None)
@given(train=events, test=events, candidates=lists)
def test_frozen_lists_equal_plain_loops(random_ranker, few, train, test, candidates):
    train, test = frame(train), frame(test)
    model = random_ranker().fit(train)
    with pytest.MonkeyPatch.context() as patch:
        if few:
            patch.setattr("skrec.metrics._sampled._MUCH_LARGER", 0)
            patch.setattr("skrec.metrics._sampled._FEW_USERS", 2)
        report = make_ranking_scorer("mrr@3", protocol="sampled", candidates=candidates).evaluate(model, test)
    expected = {}
    for user, rows in test.groupby("user_id"):
        scores = dict(zip(model.items_.tolist(), model.score_items([user])[0], strict=True))
        values = []
        for item in set(rows.item_id):
            others = (set(candidates[user]) - {item}) & set(scores)
            rank = 1 + sum(scores[other] >= scores[item] for other in others) if item in scores else np.inf
            values.append(1 / rank if rank <= 3 else 0)
        expected[user] = np.mean(values)
    assert report.per_user["mrr@3"].to_dict() == pytest.approx(expected)
    assert report.metrics["mrr@3"] == pytest.approx(np.mean(list(expected.values())))


def test_drawn_candidates_are_neither_seen_nor_held_out(random_ranker):
    items = np.arange(100, 150)
    train = pd.DataFrame({"user_id": [1] * 10 + [2] * 50, "item_id": [*items[:10], *items]})
    test = pd.DataFrame({"user_id": [1, 1], "item_id": [120, 121]})
    model = random_ranker().fit(train)
    # 38 items are left, all scored below the held-out ones; all others are above.
    model.table_[1] = 5
    model.table_[1, 12:] = 0
    model.table_[1, [10, 11]] = 0
    model.table_[1, [20, 21]] = 1
    for n_candidates in (1, 20, 38, 1000):
        scorer = make_ranking_scorer("mrr@1000", protocol="sampled", n_candidates=n_candidates)
        assert scorer(model, test) == 1
    # Now they are above, and as many are drawn as there are.
    model.table_[1, 10:] = 2
    model.table_[1, [20, 21]] = 1
    for n_candidates, rank in ((1, 2), (20, 21), (38, 39), (1000, 39)):
        scorer = make_ranking_scorer("mrr@1000", protocol="sampled", n_candidates=n_candidates)
        assert scorer(model, test) == pytest.approx(1 / rank)


def test_draws_are_uniform_and_repeatable(random_ranker):
    train = pd.DataFrame({"user_id": [0] + [1] * 12, "item_id": [3, *range(12)]})
    model = random_ranker().fit(train)
    test = pd.DataFrame({"user_id": [0] * 1, "item_id": [7]})
    counts = np.zeros(12)
    for seed in range(150):
        for item in (0, 5, 11):
            model.table_[1] = 0
            model.table_[1, [7, item]] = 1, 2
            scorer = make_ranking_scorer("hit_rate@1", protocol="sampled", n_candidates=4, random_state=seed)
            value = scorer(model, test)
            assert scorer(model, test) == value
            counts[item] += 1 - value
    # Each of the 10 free items is among 4 drawn ones with probability .4.
    np.testing.assert_allclose(counts[[0, 5, 11]] / 150, 0.4, atol=0.12)
    anything = make_ranking_scorer("hit_rate@1", protocol="sampled", n_candidates=4, random_state=None)
    assert len({anything(model, test) for _ in range(60)}) == 2


@pytest.mark.parametrize("as_array", [False, True])
def test_frozen_lists_hold_raw_ids_behind_an_encoder(random_ranker, as_array):
    train = pd.DataFrame({"user_id": list("aabbc"), "item_id": list("xyyzw")})
    test = pd.DataFrame({"user_id": ["a", "c"], "item_id": ["z", "x"]})
    candidates = {"a": ["w", "z", "not known"], "c": ["w", "y", "z"]}
    model = random_ranker(levels=1000).fit(train)
    expected = make_ranking_scorer("mrr@9", protocol="sampled", candidates=candidates)(model, test)
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    if as_array:
        train, test = train.to_numpy(), test.to_numpy()
    pipeline = make_pipeline(encoder, random_ranker(levels=1000)).fit(train)
    assert make_ranking_scorer("mrr@9", protocol="sampled", candidates=candidates)(pipeline, test) == expected


def test_users_without_a_list_are_named(random_ranker):
    model = random_ranker().fit(frame([(1, 10), (2, 11)]))
    scorer = make_ranking_scorer("mrr@9", protocol="sampled", candidates={1: [10], "2": [11]})
    with pytest.raises(ValueError, match="no list for 1 of the 2 users to score, for instance 2.*user ids of X"):
        scorer(model, frame([(1, 10), (2, 11)]))


def test_missing_candidates_are_named(random_ranker):
    model = random_ranker().fit(frame([(1, 10), (2, 11)]))
    scorer = make_ranking_scorer("mrr@9", protocol="sampled", candidates={1: [10, None], 2: [11]})
    with pytest.raises(ValueError, match=r"candidates\[1\].*missing"):
        scorer(model, frame([(1, 10), (2, 11)]))


def test_empty_lists_leave_the_item_alone(random_ranker):
    model = random_ranker().fit(frame([(1, 10)]))
    assert make_ranking_scorer("mrr@9", protocol="sampled", candidates={1: []})(model, frame([(1, 10)])) == 1


@pytest.mark.parametrize("encode", [False, True], ids=["model", "encoder"])
@pytest.mark.parametrize("text", [False, True], ids=["candidates are strings", "candidates are numbers"])
def test_candidates_of_another_kind_are_told_of(random_ranker, encode, text):
    train = frame([(1, 10), (1, 11), (2, 11), (2, 12)])
    lists = {1: [12, 11], 2: [10, 11]}
    if not text:
        lists = {user: [str(item) for item in items] for user, items in lists.items()}
    else:
        train = train.assign(item_id=train.item_id.astype(str))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = (make_pipeline(encoder, random_ranker()) if encode else random_ranker()).fit(train)
    kinds = "numbers .*but those of .* strings.*astype.str" if text else "strings .*but those of .* numbers.*'int64'"
    with pytest.warns(UserWarning, match=f"The candidates for column 'item_id' are {kinds}") as caught:
        make_ranking_scorer(protocol="sampled", candidates=lists)(model, train)
    assert len(caught) == 1


def test_candidates_of_which_none_is_known_are_told_of(random_ranker):
    train = frame([(1, 10), (2, 11)])
    model = random_ranker().fit(train)
    with pytest.warns(UserWarning, match="None of the 2 candidates, such as 77, is an item of fit"):
        make_ranking_scorer(protocol="sampled", candidates={1: [77], 2: [78]})(model, train)
    make_ranking_scorer(protocol="sampled", candidates={1: [77], 2: [10]})(model, train)  # one is known


def test_popularity_on_the_split_of_ncf_has_its_published_value(random_ranker, real_data):
    """.4531 / .2542: Dacrema et al. 2019. In 156 lists the held-out item itself is there, and must not count."""
    folder = real_data / "ml-1m" / "ncf"
    train, test = (
        pd.read_csv(
            folder / f"ml-1m.{part}.rating.gz", sep="\t", header=None, usecols=[0, 1], names=["user_id", "item_id"]
        )
        for part in ("train", "test")
    )
    candidates = {}
    with gzip.open(folder / "ml-1m.test.negative.gz", "rt") as file:
        for line in file:
            pair, *negatives = line.split("\t")
            candidates[int(pair[1:].split(",")[0])] = [int(item) for item in negatives]
    model = random_ranker(levels=1, bonus=1.0).fit(train)
    scorer = make_ranking_scorer(["hit_rate@10", "ndcg@10"], protocol="sampled", candidates=candidates)
    values = scorer(model, test)
    assert values["hit_rate@10"] == pytest.approx(0.4531, abs=0.0002)
    assert values["ndcg@10"] == pytest.approx(0.2542, abs=0.0002)


@pytest.mark.parametrize("wrong", ["10", [[10], [11]], [10, 11]], ids=str)
def test_candidates_without_users_are_refused(random_ranker, wrong):
    model = random_ranker().fit(frame([(1, 10), (2, 11)]))
    with pytest.raises(TypeError, match="candidates must map user ids to item ids, got a"):
        make_ranking_scorer("mrr@9", protocol="sampled", candidates=wrong)(model, frame([(1, 10), (2, 11)]))


def test_a_string_is_no_list_of_its_letters(random_ranker):
    model = random_ranker().fit(pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"]}))
    scorer = make_ranking_scorer("mrr@9", protocol="sampled", candidates={"a": "xy", "b": ["x"]})
    with pytest.raises(ValueError, match=r"candidates\['a'\]='xy' must be a list"):
        scorer(model, pd.DataFrame({"user_id": ["a", "b"], "item_id": ["x", "y"]}))
