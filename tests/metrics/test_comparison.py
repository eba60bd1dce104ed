"""Confidence intervals and the paired test: known answers, SciPy's exact test, and what is refused."""

import time

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from skrec.metrics import bootstrap_interval, make_ranking_scorer, paired_permutation_test
from skrec.models import PopularityRanker


@pytest.fixture(scope="module")
def hits():
    """Ten thousand users, of whom a fifth have a hit, with a normal mean."""
    return (np.random.default_rng(0).random(10_000) < 0.2).astype(float)


@pytest.fixture
def reports(random_ranker, log):
    train, test = log.iloc[:400], log.iloc[400:]
    scorer = make_ranking_scorer(["ndcg@10", "recall@10", "coverage@10"])
    return [scorer.evaluate(model.fit(train), test) for model in (PopularityRanker(), random_ranker(levels=1000))]


# ------------------------------------------------------------------------------------------------------------ intervals


def test_the_interval_of_a_mean_is_the_normal_one_for_many_users(hits):
    margin = stats.norm.ppf(0.975) * hits.std() / np.sqrt(len(hits))
    low, high = bootstrap_interval(hits, n_resamples=4000)
    assert (low, high) == pytest.approx((hits.mean() - margin, hits.mean() + margin), abs=0.06 * margin)
    narrow = bootstrap_interval(hits, confidence_level=0.5, n_resamples=1000)
    assert low < narrow.low < hits.mean() < narrow.high < high


def test_intervals_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(1)
    samples = rng.exponential(size=(200, 80))
    intervals = [bootstrap_interval(sample, confidence_level=0.9, n_resamples=400) for sample in samples]
    assert np.mean([low <= 1 <= high for low, high in intervals]) == pytest.approx(0.9, abs=0.06)


def test_intervals_can_be_repeated():
    few = pd.Series(np.random.default_rng(0).random(50))
    same = bootstrap_interval(few, random_state=3)
    assert bootstrap_interval(few.to_numpy(), random_state=3) == same
    assert bootstrap_interval([*few, np.nan], random_state=3) == same  # who has no value is left out
    state = np.random.RandomState(0)
    assert bootstrap_interval(few, random_state=state) != bootstrap_interval(few, random_state=state)
    assert bootstrap_interval([0.5, 0.5, 0.5]) == (0.5, 0.5)


def test_reports_have_intervals(reports):
    report = reports[0]
    low, high = report.interval("ndcg@10", n_resamples=500)
    assert low < report.metrics["ndcg@10"] < high
    assert (low, high) == bootstrap_interval(report.per_user["ndcg@10"], n_resamples=500)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (None, "metric is missing: pass the name of one of the metrics. The report has values per user of: ndcg@10"),
        ("coverage@10", "'coverage@10' has no values per user, because it describes all lists together"),
        ("ndgc@10", r"no metric 'ndgc@10'. Did you mean 'ndcg@10'\?"),
    ],
)
def test_reports_name_their_metrics(reports, metric, message):
    with pytest.raises(ValueError, match=message):
        reports[0].interval(metric)
    with pytest.raises(ValueError, match=message):
        paired_permutation_test(*reports, metric)


@pytest.mark.parametrize(
    ("values", "parameters", "message"),
    [
        ([0.5, np.nan], {}, r"1 user\(s\) have a value: an interval needs at least 2"),
        ([0.5, 1, np.inf], {}, r"1 user\(s\) have an infinite value: all values must be finite"),
        ([[0.5, 0.5]], {}, r"one number per user, got an array of shape \(1, 2\)"),
        ([0.5, 1], {"confidence_level": 95}, "confidence_level must be a number between 0 and 1, such as 0.95, got 95"),
        ([0.5, 1], {"n_resamples": 0}, "n_resamples must be a whole number of at least 1, got 0"),
    ],
)
def test_values_and_parameters_are_checked(values, parameters, message):
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(values, **parameters)


# ----------------------------------------------------------------------------------------------------------- comparison


def test_the_p_value_is_that_of_all_swaps():
    """Of ten users there are 1,024 ways to swap the two values; SciPy goes through all of them."""
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.4, 1.0):
        a, b = rng.random(10) + shift * rng.random(10), rng.random(10)
        exact = stats.permutation_test(
            (a, b), lambda a, b: np.mean(a) - np.mean(b), permutation_type="samples", n_resamples=2000
        )
        found = paired_permutation_test(a, b)
        assert found.p_value == pytest.approx(exact.pvalue, abs=0.015)
        assert found.mean_difference == pytest.approx(exact.statistic)
        assert found.interval.low < found.mean_difference < found.interval.high


def test_a_difference_is_found_and_none_is_not(hits):
    rng = np.random.default_rng(1)
    better = np.maximum(hits, rng.random(len(hits)) < 0.02)
    found = paired_permutation_test(better, hits, n_resamples=999)
    assert found.mean_difference == pytest.approx((better - hits).mean())
    assert found.p_value == pytest.approx(2 / 1000)
    assert 0 < found.interval.low < found.mean_difference < found.interval.high
    assert found.n_users == len(hits)
    swapped = paired_permutation_test(hits, better, n_resamples=999)
    assert (swapped.mean_difference, swapped.p_value) == (-found.mean_difference, found.p_value)
    same = paired_permutation_test(hits, hits, n_resamples=99)
    assert (same.mean_difference, same.p_value, same.interval) == (0, 1, (0, 0))


def test_p_values_are_uniform_where_there_is_no_difference():
    rng = np.random.default_rng(2)
    p_values = [paired_permutation_test(*rng.exponential(size=(2, 30)), n_resamples=199).p_value for _ in range(200)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.06)


def test_users_are_aligned(reports):
    ours, theirs = (report.per_user["ndcg@10"] for report in reports)
    found = paired_permutation_test(*reports, "ndcg@10", n_resamples=200)
    assert found == paired_permutation_test(ours, theirs.sample(frac=1, random_state=0), n_resamples=200)
    assert found == paired_permutation_test(reports[0], theirs, "ndcg@10", n_resamples=200)
    means = [report.metrics["ndcg@10"] for report in reports]
    assert found.mean_difference == pytest.approx(means[0] - means[1])
    without = [pd.concat([values, pd.Series([np.nan], index=["idle"])]) for values in (ours, theirs)]
    assert paired_permutation_test(*without, n_resamples=200) == found


def test_it_can_be_repeated():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 40))
    assert paired_permutation_test(a, b, random_state=1) == paired_permutation_test(a, b, random_state=1)
    assert (
        paired_permutation_test(a, b, random_state=1).p_value != paired_permutation_test(a, b, random_state=2).p_value
    )


def test_as_many_users_as_movielens_1m_take_seconds():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 6040))
    started = time.process_time()
    paired_permutation_test(a, b)
    assert time.process_time() - started < 10  # half a second on an idle machine


SEVEN = pd.Series(np.arange(7.0), index=[*"abcdefg"])


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (SEVEN, SEVEN[1:], r"a has 1 user\(s\) that b lacks, for instance 'a': .*on the same held-out rows"),
        (SEVEN[:6], SEVEN, r"b has 1 user\(s\) that a lacks, for instance 'g'"),
        (SEVEN, SEVEN.where(SEVEN != 3), r"1 user\(s\) have a value for only one model: b has NaN for 'd'"),
        (SEVEN.rename({"b": "a"}), SEVEN, "a has more than one value for the user 'a'"),
        (SEVEN[:5], SEVEN[:5], r"5 user\(s\) have values: with fewer than 6 users, no difference can be significant"),
        (SEVEN, SEVEN.astype(str), "b must hold one number per user, but it holds"),
        (SEVEN.to_frame(), SEVEN, r"a must be a RankingReport or hold one number per user, got shape \(7, 1\)"),
    ],
)
def test_series_are_checked(a, b, message):
    with pytest.raises(ValueError, match=message):
        paired_permutation_test(a, b)


def test_protocols_are_not_mixed(random_ranker, log):
    model = random_ranker().fit(log)
    full, sampled = (
        make_ranking_scorer("mrr@5", protocol=protocol).evaluate(model, log) for protocol in ("full", "sampled")
    )
    with pytest.raises(ValueError, match="a is a report of protocol='full', and b of protocol='sampled'"):
        paired_permutation_test(full, sampled)
