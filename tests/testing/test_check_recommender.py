"""The checks pass for skrec's models, and catch a model with any one thing wrong."""

import numpy as np
import pandas as pd
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrec.models import (
    DINClassifier,
    DINRanker,
    DINRegressor,
    GRU4RecRanker,
    NCFClassifier,
    NCFRanker,
    NCFRegressor,
    PopularityRanker,
    SASRecRanker,
)
from skrec.testing import check_recommender

FAST = {"batch_size": 32, "learning_rate": 0.02, "embedding_dim": 8, "mlp_embedding_dim": 8, "hidden_units": (16, 8)}


@pytest.mark.parametrize("model", [NCFRanker, NCFClassifier, NCFRegressor])
def test_networks_pass(model):
    check_recommender(model(**FAST, epochs=20, early_stopping=False))


@pytest.mark.parametrize("model", [SASRecRanker, pytest.param(GRU4RecRanker, marks=pytest.mark.exhaustive)])
def test_models_of_sequences_pass(model):
    check_recommender(model(epochs=60, learning_rate=0.01, embedding_dim=16))


SMALL = {"attention_units": 8, "batch_size": 256, "early_stopping": False}


@pytest.mark.parametrize(
    ("model", "small"),
    [
        (DINRanker, {"batch_size": 16}),
        (DINClassifier, SMALL),
        pytest.param(DINRegressor, SMALL, marks=pytest.mark.exhaustive),
    ],
)
def test_models_of_histories_with_features_pass(model, small):
    check_recommender(
        model(epochs=10, learning_rate=0.01, embedding_dim=8, hidden_units=(16,), max_history=16, **small)
    )


@pytest.mark.exhaustive
def test_another_architecture_passes():
    check_recommender(NCFRanker(architecture="gmf", **FAST))


def test_column_names_may_be_given():
    check_recommender(PopularityRanker(user="who", item="what"), personalised=False)


def test_popularity_passes_as_what_it_is():
    check_recommender(PopularityRanker(), personalised=False)
    with pytest.raises(AssertionError, match=r"PopularityRanker fails check_finds_the_groups: \d+% of"):
        check_recommender(PopularityRanker())


def test_the_estimator_stays_as_it_is():
    model = PopularityRanker().fit([[1, 2], [2, 3]])
    before = dict(vars(model))
    check_recommender(model, personalised=False)
    assert vars(model) == before


class Broken(PopularityRanker):
    """A ranker that is right until a subclass breaks it."""


class AnswersUnfitted(Broken):
    def recommend(self, queries, *args, **options):
        return None if not self.__sklearn_is_fitted__() else super().recommend(queries, *args, **options)


class ReturnsNothing(Broken):
    def fit(self, X, y=None):
        super().fit(X, y)


class ChangesItsParameters(Broken):
    def fit(self, X, y=None):
        self.time = "timestamp"
        return super().fit(X, y)


class DeclaresWhatIsNoParameter(Broken):
    def _search_space(self, distributions):
        return {"dim": distributions.IntDistribution(1, 3)}


class DeclaresNoDistribution(Broken):
    def _search_space(self, distributions):
        return {"handle_unknown": ["oov", "error"]}


class DeclaresMoreThanItAllows(Broken):
    def _search_space(self, distributions):
        return {"handle_unknown": distributions.CategoricalDistribution(("oov", "ignore"))}


class ForgetsAnItem(Broken):
    @property
    def items_(self):
        return super().items_[1:]


class ScoresAreNumbersOrNot(Broken):
    def score_items(self, queries, candidates=None):
        scores = super().score_items(queries, candidates)
        scores[:, 3] = np.nan
        return scores


class IgnoresCandidates(Broken):
    def score_items(self, queries, candidates=None):
        return super().score_items(queries)


class RanksFromZero(Broken):
    def recommend(self, queries, k=10, **options):
        result = super().recommend(queries, k, **options)
        return result.assign(rank=result["rank"] - 1) if options.get("as_frame", True) else result


class SortsQueries(Broken):
    def recommend(self, queries, k=10, **options):
        return super().recommend(np.sort(queries), k, **options)


class RecommendsSeenItems(Broken):
    def recommend(self, queries, k=10, **options):
        return super().recommend(queries, k, **{**options, "exclude_seen": False})


class HasSeenNothing(Broken):
    def seen_items(self, queries):
        return super().seen_items(queries) * False


class RecommendsTheWorst(Broken):
    def recommend(self, queries, k=10, **options):
        if not options.get("as_frame", True):
            return super().recommend(queries, k, **options)
        worst = [super(RecommendsTheWorst, self).recommend([user], 1000, **options)[::-1][:k] for user in queries]
        return pd.concat([part.assign(rank=np.arange(1, len(part) + 1)) for part in worst], ignore_index=True)


class ArraysAreOthers(Broken):
    def recommend(self, queries, k=10, **options):
        result = super().recommend(queries, k, **options)
        return result if options.get("as_frame", True) else (result[0][:, ::-1], result[1])


class ExcludesNothing(Broken):
    def recommend(self, queries, k=10, **options):
        return super().recommend(queries, k, **{**options, "exclude": None})


class RecommendsTheWholeCatalogue(Broken):
    def recommend(self, queries, k=10, **options):
        return super().recommend(queries, k, **{**options, "candidates": None})


class KOfZeroIsFine(Broken):
    def recommend(self, queries, k=10, **options):
        return super().recommend(queries, max(k, 1), **options)


class PredictsTheOpposite(Broken):
    def predict(self, X):
        return -super().predict(X)


class PredictsByTheRestOfTheRows(Broken):
    def predict(self, X):
        scores = super().predict(X)
        return scores - scores.mean()


class RefusesUnknownUsers(Broken):
    def score_items(self, queries, candidates=None):
        if not np.isin(np.asarray(queries, object), self.users_).all():
            raise KeyError("nobody")
        return super().score_items(queries, candidates)


class ServesUnknownUsersAnyway(Broken):
    def _encode(self, ids, role, *where, **expected):
        return (self._users if role == "user" else self._items).encode(ids)


class TakesTheFirstColumn(Broken):
    def _find_roles(self, rows):
        roles = super()._find_roles(rows)
        return type(roles)(0, 1, None, roles.names)


class MovesTheGlobalGenerator(Broken):
    def fit(self, X, y=None):
        np.random.random()  # noqa: NPY002
        return super().fit(X, y)


class LosesItsCountsInAPickle(Broken):
    def __getstate__(self):
        return {**super().__getstate__(), "item_counts_": np.zeros_like(self.item_counts_)}


class ForgetsBeforeItChecks(Broken):
    def fit(self, X, y=None):
        vars(self).pop("_users", None)
        return super().fit(X, y)


class AcceptsMissingIds(Broken):
    def fit(self, X, y=None):
        return super().fit(X.fillna("none") if hasattr(X, "fillna") else X, y)


class StartsAnewAtEachPart(Broken):
    def partial_fit(self, X, y=None):
        return self.fit(X, y)


@pytest.mark.parametrize(
    ("model", "check"),
    [
        (AnswersUnfitted, "check_nothing_is_answered_before_fit"),
        (ReturnsNothing, "check_fit_returns_the_estimator_and_keeps_its_parameters"),
        (ChangesItsParameters, "check_fit_returns_the_estimator_and_keeps_its_parameters"),
        (DeclaresWhatIsNoParameter, "check_the_search_space_is_of_its_parameters"),
        (DeclaresNoDistribution, "check_the_search_space_is_of_its_parameters"),
        (DeclaresMoreThanItAllows, "check_the_search_space_is_of_its_parameters"),
        (ForgetsAnItem, "check_ids_are_those_of_the_data"),
        (ScoresAreNumbersOrNot, "check_score_items_has_a_column_for_each_item"),
        (IgnoresCandidates, "check_score_items_has_a_column_for_each_item"),
        (RanksFromZero, "check_recommend_returns_a_frame"),
        (SortsQueries, "check_recommend_returns_a_frame"),
        (RecommendsSeenItems, "check_seen_items_are_left_out"),
        (HasSeenNothing, "check_seen_items_are_left_out"),
        (RecommendsTheWorst, "check_recommend_follows_score_items"),
        (ArraysAreOthers, "check_arrays_are_the_frame"),
        (ExcludesNothing, "check_excluded_pairs_are_left_out"),
        (RecommendsTheWholeCatalogue, "check_candidates_limit_the_choice"),
        (KOfZeroIsFine, "check_k"),
        (PredictsTheOpposite, "check_predict_agrees_with_score_items"),
        (PredictsByTheRestOfTheRows, "check_a_score_does_not_depend_on_the_other_rows"),
        (RefusesUnknownUsers, "check_unknown_users"),
        (ServesUnknownUsersAnyway, "check_unknown_users"),
        (TakesTheFirstColumn, "check_containers_do_not_matter"),
        (MovesTheGlobalGenerator, "check_the_same_random_state_gives_the_same_bits"),
        (LosesItsCountsInAPickle, "check_a_pickle_is_the_same"),
        (ForgetsBeforeItChecks, "check_a_failed_fit_changes_nothing"),
        (AcceptsMissingIds, "check_a_failed_fit_changes_nothing"),
        (StartsAnewAtEachPart, "check_partial_fit_adds_ids"),
    ],
)
def test_each_defect_is_found_and_named(model, check, monkeypatch):
    monkeypatch.setitem(globals(), model.__name__, model)
    with pytest.raises(AssertionError, match=f"{model.__name__} fails {check}: "):
        check_recommender(model(), personalised=False)


@parametrize_with_checks([Broken()])
def test_a_model_of_ones_own_faces_scikit_learns_checks_beside(estimator, check):
    check(estimator)
