"""scikit-learn's own estimator checks, on the real engine."""

from functools import partial

import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrec import models
from skrec._engine import program_cache as program
from skrec.model_selection import OptunaSearchCV
from skrec.models import NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker
from skrec.testing import all_estimators

NETWORKS = (NCFClassifier, NCFRegressor, NCFRanker)
TASKS = ("Classifier", "Regressor", "Ranker")
# Small networks and few, long steps, to save time: two thirds of these epochs are enough for every check of accuracy.
QUICK = {"epochs": 6, "learning_rate": 0.01, "embedding_dim": 4, "n_bins": 8}
DEEP = {**QUICK, "hidden_units": (16,)}
SETTINGS = {
    "AutoInt": {**DEEP, "n_attention_layers": 1, "attention_units": 8},
    "DCN": {**DEEP, "n_cross_layers": 1},
    "DIN": {**DEEP, "attention_units": 4, "max_history": 8},
    "DNN": DEEP,
    "DeepFM": DEEP,
    "FM": QUICK,
    "NFM": DEEP,
    "WideDeep": DEEP,
}
OF_FEATURES = {
    getattr(models, f"{architecture}{task}"): settings for architecture, settings in SETTINGS.items() for task in TASKS
}
CHOOSE_EPOCHS = (models.DCNClassifier, models.FMRegressor)  # by cross-validation, as they come
for model, settings in OF_FEATURES.items():
    if model not in CHOOSE_EPOCHS:
        OF_FEATURES[model] = {**settings, "early_stopping": False}
SEQUENCES = {"epochs": 6, "embedding_dim": 8, "max_history": 16}
OF_GRAPHS = {
    models.LightGCNRanker: {"epochs": 6, "embedding_dim": 4, "n_layers": 2},
    models.MKRClassifier: {"epochs": 12, "learning_rate": 0.02, "l2": 0.0},
    models.MKRRanker: {"epochs": 6},
}
OF_SEQUENCES = {models.SASRecRanker: {**SEQUENCES, "n_blocks": 1}, models.GRU4RecRanker: SEQUENCES}
AUTOENCODERS = {"epochs": 6, "embedding_dim": 8}
OF_AUTOENCODERS = {
    model: {**AUTOENCODERS, "hidden_units": (16,)}
    for model in (models.MultVAERanker, models.MultDAERanker, models.RecVAERanker)
}
OF_AUTOENCODERS[models.AutoRecRegressor] = {"epochs": 20, "embedding_dim": 16, "learning_rate": 0.01, "l2": 0.001}
EXPECTED_FAILURES = {  # scikit-learn runs the second for models that take sparse rows
    f"check_sample_weight_equivalence_on_{kind}_data": (
        "training is stochastic: a row of weight 2 meets other batches and other random numbers than two equal rows"
    )
    for kind in ("dense", "sparse")
}
OF_SVD = {
    "check_sample_weight_equivalence_on_dense_data": (
        "singular vectors, from which NMF starts, are found by random projections in float32, which depend on the "
        "number of users and items"
    )
}
CLASSICAL = {
    models.ALSRanker: {"embedding_dim": 4, "epochs": 4},
    models.ContentRanker: {},
    models.EASERanker: {},
    models.ItemKNNRanker: {},
    models.NMFRanker: {"embedding_dim": 3},
    models.PureSVDRanker: {"embedding_dim": 3},
    models.RP3BetaRanker: {},
    models.SLIMRanker: {},
    models.UserKNNRanker: {},
    PopularityRanker: {},
}
OF_CONTENT = {  # the model needs a column besides the ids, which is the same in all rows of an item
    **dict.fromkeys(
        (
            "check_estimators_overwrite_params",
            "check_estimators_fit_returns_self",
            "check_readonly_memmap_input",
            "check_positive_only_tag_during_fit",
            "check_sample_weights_pandas_series",
            "check_sample_weights_not_an_array",
            "check_sample_weights_shape",
            "check_sample_weights_not_overwritten",
            "check_fit_idempotent",
            "check_fit_check_is_fitted",
            "check_n_features_in",
        ),
        "X has two columns, which are the ids: items have no features",
    ),
    "check_estimators_dtypes": "random integers differ between the rows of an item: items have no features",
    "check_sample_weight_equivalence_on_dense_data": "each item has a row of its own, so that features are the user's",
}
OF_SEARCHES = {  # of regressors, GridSearchCV's too
    "check_supervised_y_2d": "the search does not see that y is a column, and the default score of Ridge does not mind"
}
SEARCHED = {Ridge(): {"alpha": [0.1, 1.0]}, LogisticRegression(): {"C": [0.1, 1.0]}}  # as scikit-learn does
SEARCHES = [
    OptunaSearchCV(estimator, space, n_trials=2, cv=2, error_score="raise", random_state=0)
    for estimator, space in SEARCHED.items()
]


@pytest.fixture(scope="module", autouse=True)
def many_programs():
    """Keep every program that the checks of one estimator need: they come to the same numbers of columns in turn."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(program, "_CACHE_SIZE", 24)
        yield


def expected_failures(estimator):
    if isinstance(estimator, OptunaSearchCV):
        return OF_SEARCHES if is_regressor(estimator) else {}
    if isinstance(estimator, models.ContentRanker):
        return OF_CONTENT
    if isinstance(estimator, models.PureSVDRanker | models.NMFRanker):
        return OF_SVD
    return {} if type(estimator) in CLASSICAL else EXPECTED_FAILURES


MODELS = {
    **{network: {"epochs": 8, "learning_rate": 0.02} for network in NETWORKS},
    **CLASSICAL,
    **OF_FEATURES,
    **OF_SEQUENCES,
    **OF_AUTOENCODERS,
    **OF_GRAPHS,
}
# One model of each base. The others share all of their code but the architecture.
OF_EACH_BASE = (
    *NETWORKS,
    models.ALSRanker,
    models.ContentRanker,
    models.EASERanker,
    models.ItemKNNRanker,
    models.PureSVDRanker,
    PopularityRanker,
    models.DCNClassifier,
    models.SASRecRanker,
    models.MultVAERanker,
)


def parametrize(estimators):
    return parametrize_with_checks(estimators, expected_failed_checks=expected_failures)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")  # check_cv's, of y with infinity
@parametrize([*(model(**MODELS[model]) for model in OF_EACH_BASE), *SEARCHES])
def test_scikit_learns_check(estimator, check):
    check(estimator)


@pytest.mark.exhaustive
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize([model(**settings) for model, settings in MODELS.items() if model not in OF_EACH_BASE])
def test_scikit_learns_check_of_the_other_models(estimator, check):
    check(estimator)


def test_no_public_model_is_left_out():
    assert {model for _, model in all_estimators() if model.__module__.startswith("skrec.models")} == set(MODELS)


def names_of_checks(estimator):
    checks = estimator_checks.estimator_checks_generator(estimator, legacy=True)
    return [check.func.__name__ if isinstance(check, partial) else check.__name__ for _, check in checks]


def test_the_classifier_faces_every_check_that_a_gradient_boosting_classifier_faces():
    ours, theirs = (names_of_checks(classifier) for classifier in (NCFClassifier(), HistGradientBoostingClassifier()))
    assert len(ours) >= len(theirs)
    assert set(theirs) <= set(ours)


@pytest.mark.parametrize("network", [*NETWORKS, *OF_FEATURES, *OF_SEQUENCES, *OF_AUTOENCODERS, *OF_GRAPHS])
def test_scikit_learn_knows_the_type_of_each_estimator(network):
    name = network.__name__
    assert is_classifier(network()) is name.endswith("Classifier")
    assert is_regressor(network()) is name.endswith("Regressor")
