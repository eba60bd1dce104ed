"""y and sample_weight of models: read alike by fit, partial_fit, validation rows, score and ranking scorers."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, cross_val_score

from skrec.inspection import compare
from skrec.metrics import make_ranking_scorer, ndcg_at_k
from skrec.model_selection import LeaveLastOut, OptunaSearchCV, TemporalSplit
from skrec.models import FMRegressor, NCFClassifier, NCFRanker, NCFRegressor, PopularityRanker

N = 24
X = pd.DataFrame({"user_id": np.arange(N) % 4, "item_id": np.arange(N) * 5 % 7, "timestamp": np.arange(N)})
CODES = np.arange(N) * 5 % 7 % 2
TEXT = np.array(["no", "yes"], dtype=object)[CODES]
OPTIONS = {"epochs": 1, "embedding_dim": 2, "random_state": 0}


def classifier(**options):
    return NCFClassifier(**OPTIONS, hidden_units=(2,), **options)


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(TEXT, dtype="string"),
        pd.Series(TEXT, dtype="category"),
        pl.Series(TEXT.tolist()),
        TEXT.tolist(),
        np.array(TEXT, dtype=object),
    ],
    ids=lambda y: f"{type(y).__module__}.{getattr(y, 'dtype', 'list')}",
)
def test_labels_in_any_container_give_the_same_model(y):
    expected = classifier().fit(X, TEXT)
    model = classifier().fit(X, y)
    np.testing.assert_array_equal(model.predict_proba(X), expected.predict_proba(X))
    assert model.classes_.tolist() == ["no", "yes"]
    assert set(model.predict(X).tolist()) <= {"no", "yes"}
    assert model.score(X, y) == expected.score(X, TEXT)
    scorer = make_ranking_scorer("ndcg@3")
    assert scorer(model, X, y) == scorer(expected, X, CODES)


def test_the_inputs_of_the_report():
    labels = pd.Series(TEXT)
    with pytest.raises(ValueError, match=r"Input y contains NaN: its value in row 3 is missing"):
        classifier().fit(X, labels.where(labels.index != 3))
    model = classifier().fit(X, pd.Series(CODES, dtype=object))
    assert model.classes_.dtype == np.int64
    frame = pd.DataFrame({"clicked": TEXT})
    with pytest.warns(DataConversionWarning):
        model = classifier().fit(X, frame)
    for protocol in ("full", "rerank", "sampled"):
        scorer = make_ranking_scorer("ndcg@3", protocol=protocol)
        assert scorer(model, X, frame) == scorer(model, X, TEXT)


def test_a_column_is_read_by_ranking_metrics_too():
    columns = {"y_true": CODES, "y_pred": np.arange(N), "groups": X["user_id"].to_numpy()}
    expected = ndcg_at_k(**columns, k=3)
    frames = {name: pd.DataFrame({name: column}) for name, column in columns.items()}
    assert ndcg_at_k(**frames, k=3) == expected
    assert ndcg_at_k(**{name: pl.Series(column) for name, column in columns.items()}, k=3) == expected
    missing = pd.Series(CODES, dtype="Int64").where(np.arange(N) != 5)
    with pytest.raises(ValueError, match=r"y_true contains (nan|<NA>) at \[5\]"):
        ndcg_at_k(missing, columns["y_pred"], groups=columns["groups"], k=3)
    with pytest.raises(ValueError, match=r"y_true must hold numbers, not datetime64"):
        ndcg_at_k(np.arange(N).astype("datetime64[s]"), columns["y_pred"], groups=columns["groups"], k=3)


MODELS = {
    "classifier": (classifier(), TEXT),
    "regressor": (NCFRegressor(**OPTIONS, hidden_units=(2,)), CODES + 1.0),
    "ranker": (NCFRanker(architecture="mf", **OPTIONS), CODES),
    "popularity": (PopularityRanker(), CODES),
}


@pytest.mark.parametrize("name", MODELS)
def test_y_of_other_rows_is_refused_everywhere(name):
    model, y = MODELS[name]
    fitted = model.fit(X, y)
    shuffled = pd.Series(y)[::-1]
    match = "X and y have the same index in another order: at position 0, X has 0 and y has 23"
    for call in (model.fit, model.partial_fit, fitted.score, lambda *rows: make_ranking_scorer()(fitted, *rows)):
        with pytest.raises(ValueError, match=match):
            call(X, shuffled)
        with pytest.raises(ValueError, match="y has 23 values, but X has 24 rows"):
            call(X, y[1:])
    with pytest.raises(ValueError, match="X and sample_weight have the same index in another order"):
        model.fit(X, y, sample_weight=pd.Series(np.ones(N))[::-1])
    with pytest.raises(ValueError, match=r"Input sample_weight contains NaN: its value in row 2 is missing"):
        model.fit(X, y, sample_weight=pd.Series(np.ones(N)).where(np.arange(N) != 2).astype("Float64"))


def test_validation_rows_are_called_by_their_names():
    model = classifier()
    with pytest.raises(ValueError, match=r"y_val contains the label 'maybe' \(in row 1\).*Remove such rows from X_val"):
        model.fit(X, TEXT, X_val=X[:3], y_val=["no", "maybe", "yes"])
    with pytest.raises(ValueError, match="Input y_val contains NaN: its value in row 2"):
        model.fit(X, TEXT, X_val=X[:3], y_val=["no", "yes", None])
    with pytest.raises(ValueError, match="y_val has 2 values, but X_val has 3 rows"):
        model.fit(X, TEXT, X_val=X[:3], y_val=["no", "yes"])
    with pytest.raises(ValueError, match="No value of y_val is above 0"):
        NCFRanker(**OPTIONS).fit(X, X_val=X[:3], y_val=[0, 0, 0])


def test_labels_that_are_new():
    model = classifier(warm_start=True).fit(X, TEXT)
    with pytest.raises(ValueError, match=r"y contains the label 'maybe' \(in row 0\).*set warm_start=False"):
        model.fit(X, ["maybe", *TEXT[1:]])
    with pytest.raises(ValueError, match=r"y contains the label 'maybe' \(in row 0\).*first call to partial_fit"):
        model.partial_fit(X, ["maybe", *TEXT[1:]])
    with pytest.raises(ValueError, match=r"y contains the label 0 \(in row 0\), which is not among .*'no', 'yes'"):
        model.partial_fit(X, CODES)
    with pytest.raises(ValueError, match=r"y has labels such as 0, but the classes are \['no', 'yes'\]"):
        model.score(X, CODES)


def test_classes_of_partial_fit():
    model = classifier().partial_fit(X, TEXT, classes=pd.Series(["yes", "no", "maybe"], dtype="string"))
    assert model.classes_.tolist() == ["maybe", "no", "yes"]
    model.partial_fit(X, TEXT, classes=["no", "maybe", "yes"])
    with pytest.raises(ValueError, match=r"classes=\['no', 'yes'\] differs from the classes of the first call"):
        model.partial_fit(X, TEXT, classes=["no", "yes"])
    for classes, match in (
        (["no", None], "Input classes contains NaN: its value in row 1"),
        (["no", 1], "classes mixes labels of several kinds"),
        ([0.5, 1], "classes has 0.5 in row 0"),
    ):
        with pytest.raises(ValueError, match=match):
            classifier().partial_fit(X, TEXT, classes=classes)
    with pytest.raises(TypeError, match="classes is a set, which has no order"):
        classifier().partial_fit(X, TEXT, classes={"no", "yes"})


def test_a_ranker_warns_of_ratings():
    with pytest.warns(UserWarning, match="All values of y are above 0, from 1 to 5"):
        PopularityRanker().fit(X, np.arange(N) % 5 + 1)


def test_a_class_that_was_a_missing_value():
    with pytest.warns(UserWarning, match="y has the class 'nan'"):
        classifier().fit(X, np.where(np.arange(N) % 3 == 0, "nan", TEXT))


def test_targets_that_no_float_squares():
    with pytest.raises(ValueError, match=r"y has the value -1e\+200 in row 3, which is too large"):
        FMRegressor(**OPTIONS).fit(X[["item_id"]], np.where(np.arange(N) == 3, -1e200, 1.0))


def test_the_second_of_two_classes_is_relevant_whatever_their_numbers():
    model = classifier().fit(X, CODES + 1)
    scorer = make_ranking_scorer(["ndcg@3", "recall@3"], protocol="rerank")
    assert scorer(model, X, CODES + 1) == scorer(classifier().fit(X, CODES), X, CODES)


@pytest.mark.parametrize("splitter", [LeaveLastOut(), TemporalSplit(n_splits=2)], ids=lambda one: type(one).__name__)
def test_splitters_refuse_a_y_of_other_rows(splitter):
    with pytest.raises(ValueError, match="y has 3 values, but X has 24 rows"):
        next(splitter.split(X, [1, 2, 3]))
    with pytest.raises(ValueError, match="X and y have the same index in another order"):
        next(splitter.split(X, pd.Series(CODES)[::-1]))
    assert next(splitter.split(X, pd.Series(CODES)))


def test_compare_and_searches_refuse_a_y_of_other_rows():
    with pytest.raises(ValueError, match="Input y contains NaN: its value in row 3"):
        compare(PopularityRanker(), X, pd.Series(CODES, dtype="Int64").where(np.arange(N) != 3))
    for call in (
        lambda y: compare(PopularityRanker(), X, y),
        lambda y: OptunaSearchCV(LogisticRegression(), {"C": [1.0]}, n_trials=1).fit(X, y),
    ):
        with pytest.raises(ValueError, match="X and y have the same index in another order"):
            call(pd.Series(CODES)[::-1])


def test_cross_validation_takes_nullable_labels():
    y = pd.Series(CODES, dtype="Int64")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = cross_val_score(PopularityRanker(), X, y, cv=KFold(2), scoring=make_ranking_scorer("recall@3"))
    np.testing.assert_array_equal(
        scores, cross_val_score(PopularityRanker(), X, CODES, cv=KFold(2), scoring=make_ranking_scorer("recall@3"))
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_logarithms_of_probabilities_and_calibration_by_temperature(n_classes):
    labels = np.arange(N) * 5 % 7 % n_classes
    model = classifier().fit(X, labels)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)), rtol=1e-12)
    model._weights = type(model._weights)({name: 1e3 * weight for name, weight in model._weights.items()})
    assert np.isfinite(model.predict_log_proba(X)).all()
    assert model.decision_function(X).dtype == np.float64
    if not any("temperature" in str(one) for one in CalibratedClassifierCV._parameter_constraints["method"]):
        pytest.skip("this scikit-learn does not calibrate by temperature")
    calibrated = CalibratedClassifierCV(classifier(), method="temperature", cv=2, ensemble=False).fit(X, labels)
    assert log_loss(labels, calibrated.predict_proba(X)) > 0  # a warning of sums would be an error
