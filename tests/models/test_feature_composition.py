"""Models of features inside scikit-learn's searches, pipelines and meta-estimators, on the census income data.

Every test asserts that what was set from outside reached the network, or that the result is worth something.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, StackingClassifier
from sklearn.inspection import PartialDependenceDisplay, partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from skrec.models import DCNClassifier, DNNClassifier, WideDeepClassifier
from skrec.preprocessing import FeatureCrosses

COLUMNS = ["age", "workclass", "fnlwgt", "education", "education_num", "marital", "occupation", "relationship", "race",
           "sex", "capital_gain", "capital_loss", "hours", "country", "income"]  # fmt: skip
SMALL = {
    "hidden_units": (16,),
    "embedding_dim": 4,
    "epochs": 3,
    "early_stopping": False,
    "learning_rate": 0.01,
    "batch_size": 128,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def people(real_data):
    """Train and test parts of 3,000 people: the columns, and whether the income is high."""
    if not (real_data / "adult").is_dir():
        pytest.skip(f"no folder adult/ in {real_data}")
    table = pd.read_csv(
        real_data / "adult" / "adult.data.gz", names=COLUMNS, skipinitialspace=True, na_values="?", nrows=3000
    )
    X, y = table.drop(columns=["fnlwgt", "income"]), (table["income"] == ">50K").to_numpy(int)
    return X[:2000], y[:2000], X[2000:], y[2000:]


@pytest.fixture(scope="module")
def dcn(people):
    return DCNClassifier(**SMALL).fit(*people[:2])


def auc(model, X, y):
    return roc_auc_score(y, model.predict_proba(X)[:, 1])


def test_crosses_before_wide_and_deep_in_a_grid_search(people):
    X, y, X_test, y_test = people
    crosses = FeatureCrosses(crosses=[("education", "occupation")], passthrough=True)
    columns = ColumnTransformer([("crossed", crosses, ["education", "occupation"])], remainder="passthrough")
    model = WideDeepClassifier(
        categorical_features=make_column_selector(pattern="^crossed__|marital|relationship|sex"),
        wide_features=["crossed__education_x_occupation"], deep_features=["remainder__marital", "remainder__age"],
        **SMALL,
    )  # fmt: skip
    columns.set_params(remainder=OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))
    pipeline = make_pipeline(columns.set_output(transform="pandas"), model)
    grid = {"widedeepclassifier__embedding_dim": [3, 5], "columntransformer__crossed__min_frequency": [None, 20]}
    search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss").fit(X, y)
    best = search.best_estimator_[-1]
    assert best._weights["query_fields/embeddings"].shape[1] == search.best_params_["widedeepclassifier__embedding_dim"]
    assert "crossed__education_x_occupation" in best.field_names_
    assert auc(search, X_test, y_test) > 0.75


def test_stacking_with_trees(people):
    X, y, X_test, y_test = people
    trees = make_pipeline(
        ColumnTransformer([("codes", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
                            make_column_selector(dtype_include=[object, "string", "str"]))], remainder="passthrough"),
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
    )  # fmt: skip
    stack = StackingClassifier([("trees", trees), ("dnn", DNNClassifier(**SMALL))], LogisticRegression(), cv=3).fit(
        X, y
    )
    assert auc(stack, X_test, y_test) > auc(stack.named_estimators_["dnn"], X_test, y_test)
    assert stack.final_estimator_.coef_.shape == (1, 2)


def test_calibration(people):
    X, y, X_test, y_test = people
    unbalanced = DCNClassifier(class_weight={0: 1, 1: 20}, **SMALL)
    calibrated = CalibratedClassifierCV(unbalanced, cv=3).fit(X, y)
    assert len(calibrated.calibrated_classifiers_) == 3
    plain = log_loss(y_test, unbalanced.fit(X, y).predict_proba(X_test))
    assert log_loss(y_test, calibrated.predict_proba(X_test)) < plain - 0.05


def test_a_tuned_threshold(people):
    X, y, X_test, _ = people
    tuned = TunedThresholdClassifierCV(DNNClassifier(**SMALL), scoring="balanced_accuracy", cv=3).fit(X, y)
    assert 0 < tuned.best_threshold_ < 0.5
    assert tuned.predict(X_test).mean() > tuned.estimator_.predict(X_test).mean()


def test_permutation_importance(people, dcn):
    X, _, X_test, y_test = people
    result = permutation_importance(dcn, X_test, y_test, scoring="roc_auc", n_repeats=2, random_state=0)
    importance = dict(zip(X.columns, result.importances_mean, strict=True))
    assert len(importance) == len(X.columns)
    assert max(importance["marital"], importance["relationship"]) > importance["race"]


def test_partial_dependence(people, dcn):
    X = people[0].astype({"age": float})
    by_age = partial_dependence(dcn, X[:200], ["age"], grid_resolution=10)["average"][0]
    assert by_age[:3].mean() < by_age[3:].mean()  # the young earn less
    pytest.importorskip("matplotlib").use("agg")
    display = PartialDependenceDisplay.from_estimator(
        dcn, X[:100], ["age", "sex"], categorical_features=["sex"], grid_resolution=5
    )
    assert display.axes_.size == 2


def test_learning_curve(people):
    X, y, _, _ = people
    sizes, _, scores = learning_curve(
        DNNClassifier(**SMALL), X, y, train_sizes=[100, 1000], cv=2, scoring="roc_auc", random_state=0, shuffle=True
    )
    assert sizes.tolist() == [100, 1000]
    assert scores[1].mean() > scores[0].mean()


class TestXVal:
    """The ways of ``X_val`` through a Pipeline (stated in the docstring of ``fit``)."""

    def pipeline(self, **options):
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        columns = ColumnTransformer(
            [("codes", encoder, make_column_selector(dtype_include=[object, "string", "str"]))],
            remainder="passthrough", verbose_feature_names_out=False,
        )  # fmt: skip
        model = DNNClassifier(**SMALL).set_fit_request(X_val=True, y_val=True)
        return make_pipeline(columns.set_output(transform="pandas"), model, **options)

    def test_it_is_transformed_on_request(self, people):
        X, y, X_test, y_test = people
        with config_context(enable_metadata_routing=True):
            pipeline = self.pipeline(transform_input=["X_val"]).fit(X, y, X_val=X_test[:300], y_val=y_test[:300])
        best = pipeline[-1].best_validation_score_
        assert best == pytest.approx(-log_loss(y_test[:300], pipeline.predict_proba(X_test[:300])), abs=1e-6)

    def test_it_arrives_raw_without_one(self, people):
        X, y, X_test, y_test = people
        with config_context(enable_metadata_routing=True), pytest.raises(ValueError) as caught:
            self.pipeline().fit(X, y, X_val=X_test[:300], y_val=y_test[:300])
        assert "X_val" in "".join([str(caught.value), *getattr(caught.value, "__notes__", ())])

    def test_one_that_a_search_cuts_is_told_of(self, people):
        X, y, _, _ = people
        with config_context(enable_metadata_routing=True):
            model = DNNClassifier(**SMALL).set_fit_request(X_val=True, y_val=True)
            search = GridSearchCV(model, {"embedding_dim": [3]}, cv=2, refit=False)
            with pytest.warns(UserWarning, match="X_val has as many rows as X, 1000"):
                search.fit(X, y, X_val=X, y_val=y)


def test_numbers_of_any_kind_are_one_column_to_scikit_learn(people, dcn):
    X = people[2]
    assert np.array_equal(dcn.predict_proba(X[:50]), dcn.predict_proba(X[:100])[:50])
