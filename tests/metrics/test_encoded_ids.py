"""Scorers on Pipelines whose transformers encode the ids."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import PopularityRanker
from skrec.preprocessing import IDEncoder


@pytest.mark.parametrize("named", [True, False])
def test_a_pipeline_scores_like_its_model_on_encoded_ids(random_ranker, log, named):
    encoder = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["user_id", "item_id"]),
    ).set_output(transform="pandas" if named else "default")
    train, test = log.iloc[:300], log.iloc[300:]
    pipeline = make_pipeline(encoder, random_ranker(bonus=1.0)).fit(train)
    scorer = make_ranking_scorer(["ndcg@3", "map@3"])
    report = scorer.evaluate(pipeline, test)
    known = test.user_id.isin(train.user_id) & test.item_id.isin(train.item_id)
    expected = scorer.evaluate(pipeline[-1], encoder.transform(test[known]))
    raw = scorer.evaluate(pipeline, test[known])
    assert raw.metrics == pytest.approx(expected.metrics)
    assert raw.per_user.index.isin(log.user_id).all()
    assert report.n_users == test.user_id.nunique()


def test_users_and_items_that_an_encoder_merges_stay_apart(random_ranker):
    train = pd.DataFrame({"user_id": list("abc"), "item_id": list("xyz")})
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    pipeline = make_pipeline(encoder, random_ranker()).fit(train)
    pipeline[-1].table_[:] = [3, 2, 1]
    test = pd.DataFrame({"user_id": ["new", "newer", "newer", "newer"], "item_id": ["x", "y", "u", "v"]})
    report = make_ranking_scorer(["recall@2", "cold_users", "cold_items"]).evaluate(pipeline, test)
    assert report.per_user["recall@2"].to_dict() == pytest.approx({"new": 1, "newer": 1 / 3})
    assert (report.cold_user_share, report.cold_item_share) == (1, 1 / 2)


def test_merging_users_or_items_gains_nothing(log):
    """Codes that stand for several ids are neither hits nor rivals, and their events are nobody's."""
    scorer = make_ranking_scorer(["ndcg@10", "cold_users", "cold_items"])
    train, test = next(LeaveLastOut(n=2).split(log))
    train, test = log.iloc[train], log.iloc[test]
    plain = scorer.evaluate(PopularityRanker().fit(train), test)
    for encoder in (IDEncoder(), OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)):
        encoded = scorer.evaluate(make_pipeline(encoder, PopularityRanker()).fit(train), test)
        pd.testing.assert_frame_equal(encoded.per_user, plain.per_user)
        assert encoded.metrics == plain.metrics
    for frequency in (3, 8, 15):
        counts = train.item_id.value_counts()
        rare = test.item_id.map(counts).fillna(0) < frequency
        merged = scorer(make_pipeline(IDEncoder(min_frequency=frequency), PopularityRanker()).fit(train), test)
        infrequent = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=frequency)
        assert scorer(make_pipeline(infrequent, PopularityRanker()).fit(train), test) == merged
        assert merged["cold_items"] == pytest.approx(rare[~test.duplicated()].mean())
        assert merged["ndcg@10"] <= plain.metrics["ndcg@10"]
    everyone = make_pipeline(IDEncoder(min_frequency=10**6), PopularityRanker()).fit(train)
    with pytest.warns(UserWarning, match="is in the catalogue of PopularityRanker"):
        assert scorer(everyone, test) == {"ndcg@10": 0, "cold_users": 1, "cold_items": 1}
    infrequent = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, min_frequency=10**6)
    everyone = make_pipeline(infrequent, PopularityRanker()).fit(train)
    with pytest.warns(UserWarning, match="is in the catalogue of PopularityRanker"):
        assert scorer(everyone, test) == {"ndcg@10": 0, "cold_users": 1, "cold_items": 1}


def test_transformers_without_a_way_back_are_scored_on_their_ids(log):
    encoder = FunctionTransformer(lambda X: X.apply(lambda column: column.str[1:].astype(int)))
    scorer = make_ranking_scorer("ndcg@10")
    pipeline = make_pipeline(encoder, PopularityRanker()).fit(log)
    assert scorer(pipeline, log) == scorer(pipeline[-1], encoder.transform(log))

    class NoInverse(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return encoder.transform(X)

    report = scorer.evaluate(make_pipeline(NoInverse(), PopularityRanker()).fit(log), log)
    assert report.metrics["ndcg@10"] == scorer(pipeline, log)
    assert report.per_user.index.dtype == np.int64


def test_score_of_a_pipeline_ranks_encoded_ids_and_the_scorer_raw_ones(log):
    rare = make_pipeline(IDEncoder(min_frequency=10**6), PopularityRanker()).fit(log)
    assert rare.score(log) == 1  # as the docstring warns: all items are one
    with pytest.warns(UserWarning, match="is in the catalogue of PopularityRanker"):
        assert make_ranking_scorer("ndcg@10")(rare, log) == 0
