"""skrec's estimators inside the tools of scikit-learn and its neighbours: the table of docs/composition.md.

Every tool really runs around skrec's estimators, on each form of ``X``: a DataFrame with string ids, a DataFrame with
integer ids, and an array. In a DataFrame the columns are given by name first, and by position where that fails. What
comes of it is a row of the table, and the page must have just that row. Run as a script, this file writes the table::

    python tests/test_composition_table.py
"""

import doctest
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from pathlib import Path

import numpy as np
import optuna
import optuna_integration
import pytest
import skops.io
from sklearn import (
    calibration,
    compose,
    ensemble,
    feature_selection,
    frozen,
    inspection,
    model_selection,
    multiclass,
    multioutput,
    pipeline,
    semi_supervised,
)
from sklearn.base import clone, is_classifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import RANSACRegressor
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score

import skrec
from skrec.datasets import make_interactions
from skrec.exceptions import ColumnError
from skrec.inspection import cross_strengths
from skrec.metrics import make_ranking_scorer
from skrec.model_selection import LeaveLastOut
from skrec.models import (
    DCNClassifier,
    FMClassifier,
    NCFClassifier,
    NCFRanker,
    NCFRegressor,
    SASRecRanker,
    WideDeepClassifier,
)
from skrec.preprocessing import FeatureCrosses, IDEncoder

pytestmark = pytest.mark.exhaustive  # some 44 tools, each with several models

PAGE = Path(__file__).resolve().parents[1] / "docs" / "composition.md"
START, END = "<!-- table: written by tests/test_composition_table.py -->\n\n", "\n<!-- end of the table -->"

# ---------------------------------------------------------------------------------------------------- data and models

IDS = ("timestamp", "item_id", "user_id")  # not in the usual order: a model that lost their names would guess wrong
FEATURES = ("user_category_0", "item_category_0", "noise")
N_TRAIN = 600
RATE = 0.1
RATES = {"learning_rate": [1e-6, RATE]}  # with the first nothing is learnt
FAST = {
    "early_stopping": False,
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": RATE,
    "embedding_dim": 4,
    "random_state": 0,
}
GMF = {**FAST, "architecture": "gmf", "l2": 0}
SETTINGS = {
    NCFClassifier: GMF,
    NCFRegressor: GMF,
    NCFRanker: GMF,
    SASRecRanker: {**FAST, "epochs": 6, "embedding_dim": 8, "n_blocks": 1, "max_history": 8},
    FMClassifier: {**FAST, "epochs": 6},
    DCNClassifier: {**FAST, "hidden_units": (), "n_cross_layers": 1},
    WideDeepClassifier: {**FAST, "hidden_units": (8,)},
}
OF_FEATURES = {FMClassifier, DCNClassifier, WideDeepClassifier}


@cache
def interactions(ids):
    """Return rows in which the label, and which groups meet, depends on the groups of user and item together.

    A user likes 95 % of the items of the own group and 5 % of the others'. The categories tell the groups.
    """
    X, y, truth = make_interactions(
        24, 16, 900, n_groups=2, affinity=0.95, popularity=0, target="label", n_categorical=1, feature_noise=0,
        ids=ids, random_state=0, return_truth=True,
    )  # fmt: skip
    for name in FEATURES[:2]:
        X[name] = X[name].astype(str) if ids == "str" else X[name].cat.codes
    groups = [table.set_index(f"{role}_id")["group"] for role, table in (("user", truth.users), ("item", truth.items))]
    meeting = (X["user_id"].map(groups[0]) + X["item_id"].map(groups[1])).to_numpy()
    return X.assign(noise=np.sin(np.arange(len(X)))), y.to_numpy(), meeting, *groups


class Form:
    """One form of ``X``, and one way to tell the models of its columns: by name, or by position."""

    def __init__(self, ids, named, by_name, used=None):
        self._frame, y, meeting, self._user_groups, self._item_groups = interactions(ids)
        self.named, self.by_name, self.used = named, by_name, {} if used is None else used
        self.X, self.X_test = self.split(IDS)
        self.features, self.features_test = self.split(FEATURES)
        self.events = self.table(IDS, y == 1)  # what users like, for Rankers
        self.y, self.y_test = y[:N_TRAIN], y[N_TRAIN:]
        self.meeting, self.meeting_test = meeting[:N_TRAIN], meeting[N_TRAIN:]
        self.roles = dict(zip(("time", "item", "user"), self.columns(IDS), strict=True))
        self.last_out = LeaveLastOut(user=self.roles["user"], time=self.roles["time"])

    def table(self, names, rows):
        frame = self._frame[rows][[*names]].reset_index(drop=True)
        return frame if self.named else frame.to_numpy()

    def split(self, names):
        return self.table(names, slice(N_TRAIN)), self.table(names, slice(N_TRAIN, None))

    def columns(self, names, table=None):
        """Return columns of a table as a model is told of them."""
        table = table or (IDS if names[0] in IDS else FEATURES)
        return [*names] if self.by_name else [table.index(name) for name in names]

    def keep_names(self, transformer):
        return transformer.set_output(transform="pandas") if self.named else transformer

    def make(self, model, **parameters):
        """Return a small model that is told of its columns."""
        self.used[model.__name__] = None
        told = {"categorical_features": self.columns(FEATURES[:2])} if model in OF_FEATURES else self.roles
        return model(**{**SETTINGS[model], **told, **parameters})

    def classifier(self, **parameters):
        return self.make(NCFClassifier, **parameters)

    def regressor(self, **parameters):
        return self.make(NCFRegressor, **parameters)

    def ranker(self, **parameters):
        return self.make(NCFRanker, **parameters)

    def inner(self, tool, **parameters):
        """Return what a tool is for: a classifier or a regressor."""
        return (self.regressor if "Regressor" in tool.__name__ else self.classifier)(**parameters)

    # What a fitted tool must know of other rows. By chance a half is right; 95 % is the best that there can be.

    def check(self, model):
        predicted = model.predict(self.X_test)
        assert predicted.shape == self.y_test.shape
        if is_classifier(model):
            assert model.classes_.tolist() == [0, 1]
            assert accuracy_score(self.y_test, predicted) > 0.85
        else:
            assert r2_score(self.y_test, predicted) > 0.6

    def check_probabilities(self, probabilities, y):
        assert probabilities.shape == (len(y), 2)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
        assert roc_auc_score(y, probabilities[:, 1]) > 0.9

    def check_ranking(self, model):
        """Users, asked for by their raw ids, are recommended raw ids of items of their own group."""
        users = self._user_groups.index[:10]
        found = skrec.recommend(model, users, k=3, exclude_seen=False)
        assert found["user_id"].tolist() == np.repeat(users, 3).tolist()
        assert (found["user_id"].map(self._user_groups) == found["item_id"].map(self._item_groups)).mean() > 0.85


# ---------------------------------------------------------------------------------------------------- rows of the table


@dataclass(frozen=True)
class Tool:
    """A tool, the function that tries it, what it says where it cannot work, and what the table says of it."""

    tool: Callable
    run: Callable
    fails: str | None
    label: str
    link: str
    note: str

    def outcome(self, ids, named, used):
        """Run the tool on one form of ``X`` and tell how it works, unless the function does."""
        errors = []
        for by_name in (True, False)[not named :]:
            try:
                word = self.run(self.tool, Form(ids, named, by_name, used))
            except AssertionError:
                raise
            except Exception as error:  # noqa: BLE001
                errors.append(error)
                continue
            if errors and not (isinstance(errors[0], ColumnError) and "has no column names" in str(errors[0])):
                raise errors[0]
            return word or ("with positions" if errors else "yes")
        for error in errors:
            if self.fails is None or not re.search(self.fails, str(error)):
                raise error
        return "no"

    def row(self):
        used = {}
        strings, integers, array = (self.outcome(*form, used) for form in (("str", 1), ("int", 1), ("int", 0)))
        assert (self.outcome("str", 0, used) == "no") == (strings == "no")  # in an array of objects
        tried = ", ".join(f"`{name}`" for name in used)
        return f"| [`{self.label}`]({self.link}) | {tried} | {strings} | {integers} | {array} | {self.note} |"


TOOLS: dict[str, Tool] = {}


def tries(*tools, note, fails=None, library=None, link=None):
    """Enter tools into the table, as those that a function tries; ``fails`` is the error where they cannot work."""

    def enter(run):
        for tool in tools:
            name, module = tool.__name__, re.sub(r"\._.*", "", tool.__module__)
            page = link or f"https://scikit-learn.org/stable/modules/generated/{module}.{name}.html"
            TOOLS[name] = Tool(tool, run, fails, f"{library}.{name}" if library else name, page, note)
        return run

    return enter


NOT_NUMBERS = "could not convert string to float"
ARRAY = "`X` becomes an array without names: give positions."
NUMBERS = f"`X` becomes an array of numbers (`{NOT_NUMBERS}`): encode ids before, and give positions."
RANKS = '`scoring=make_ranking_scorer("ndcg@10")` and `cv=LeaveLastOut()` for Rankers.'
ONE_NUMBER = "One metric at a time."

# -- pipelines


@tries(
    pipeline.Pipeline,
    note='`skrec.recommend(pipeline, users)` takes and gives raw ids. `IDEncoder(time="timestamp")` lets times pass.',
)
def pipeline_(tool, form):
    encoder = IDEncoder(time=form.roles["time"])
    for model in (form.ranker(), form.make(SASRecRanker)):
        form.check_ranking(tool([("encode", encoder), ("rank", model)]).fit(form.events))


@tries(
    pipeline.FeatureUnion,
    note='`set_output(transform="pandas")` keeps names; models find `raw__user_id` as `user_id`.',
)
def feature_union(tool, form):
    user, item, _ = form.columns(FEATURES)
    union = form.keep_names(tool([("raw", "passthrough"), ("crossed", FeatureCrosses(crosses=[(user, item)]))]))
    cross = f"{user}_x_{item}" if form.by_name else len(FEATURES)
    model = form.make(WideDeepClassifier, wide_features=[cross], categorical_features=[user, item, cross])
    fitted = pipeline.make_pipeline(union, model).fit(form.features, form.y)
    assert fitted.score(form.features_test, form.y_test) > 0.85


@tries(
    compose.ColumnTransformer,
    note="As `FeatureUnion`. Positions are those of its output. Name codes in `categorical_features`.",
)
def column_transformer(tool, form):
    X, X_test = form.split(IDS + FEATURES)
    pair = form.columns(FEATURES[:2], IDS + FEATURES)
    columns = form.keep_names(tool([
        ("ids", IDEncoder(time=form.roles["time"]), form.columns(IDS)),
        ("crossed", FeatureCrosses(crosses=[form.columns(FEATURES[:2])]), pair),
    ]))  # fmt: skip
    cross = "_x_".join(pair) if form.by_name else len(IDS)
    model = form.make(WideDeepClassifier, **form.roles, wide_features=[cross], categorical_features=[cross])
    fitted = pipeline.make_pipeline(columns, model).fit(X, form.y)
    assert fitted.score(X_test, form.y_test) > 0.85
    assert fitted[-1].user_embeddings_.shape == (24, 4)


@tries(compose.TransformedTargetRegressor, note="Transforms `y` alone.")
def transformed_target(tool, form):
    form.check(tool(form.regressor(), func=np.exp, inverse_func=np.log).fit(form.X, form.y))


@tries(frozen.FrozenEstimator, note="Keeps a fitted model. `skrec.recommend` and ranking scorers see through it.")
def frozen_estimator(tool, form):
    held = tool(form.ranker().fit(form.events))
    form.check_ranking(held)
    assert make_ranking_scorer("ndcg@10")(held, form.X_test, form.y_test) > 0.5
    expected = held.predict(form.X_test)
    np.testing.assert_array_equal(clone(held).fit(form.events[:10], None).predict(form.X_test), expected)


# -- searches and validation


@tries(model_selection.GridSearchCV, note=f'{RANKS} Several metrics need `refit="ndcg@10"`.')
def grid_search(tool, form):
    scoring = make_ranking_scorer(["ndcg@10", "recall@3"])
    search = tool(form.ranker(), RATES, cv=form.last_out, scoring=scoring, refit="ndcg@10").fit(form.events)
    assert search.best_params_["learning_rate"] == RATE
    form.check_ranking(search)


@tries(model_selection.RandomizedSearchCV, note="As `GridSearchCV`. Without `scoring`, a Regressor's score is R².")
def randomized_search(tool, form):
    search = tool(form.regressor(), RATES, n_iter=2, cv=2).fit(form.X, form.y)
    assert search.best_params_["learning_rate"] == RATE
    form.check(search)


@tries(model_selection.HalvingGridSearchCV, note=f'`resource="epochs"` trains the better ones longer. {ONE_NUMBER}')
def halving_grid_search(tool, form):
    epochs = {"resource": "epochs", "min_resources": 2, "max_resources": 4, "factor": 2}
    search = tool(form.classifier(), RATES, cv=2, **epochs).fit(form.X, form.y)
    assert search.best_params_ == {"learning_rate": RATE, "epochs": 4}
    form.check(search)


@tries(
    model_selection.HalvingRandomSearchCV,
    note=f'With `resource="n_samples"` ids that a part lacks count as unknown. {ONE_NUMBER}',
)
def halving_random_search(tool, form):
    rows = {"n_candidates": 2, "min_resources": 300, "factor": 2, "random_state": 0}
    search = tool(form.classifier(), RATES, cv=2, **rows).fit(form.X, form.y)
    assert search.best_params_["learning_rate"] == RATE
    assert search.n_resources_ == [300, 600]
    form.check(search)


@tries(model_selection.cross_validate, note=f"{RANKS} Several metrics come as columns.")
def cross_validate(tool, form):
    scoring = make_ranking_scorer(["ndcg@10", "cold_users"])
    results = tool(form.ranker(), form.events, cv=form.last_out, scoring=scoring, return_estimator=True)
    form.check_ranking(results["estimator"][0])
    assert results["test_cold_users"].tolist() == [0]
    assert 0 < results["test_ndcg@10"][0] < 1


@tries(model_selection.cross_val_score, note=ONE_NUMBER)
def cross_val_score(tool, form):
    scores = tool(form.classifier(), form.X, form.y, cv=2, scoring="roc_auc")
    assert scores.shape == (2,)
    assert scores.min() > 0.9


@tries(model_selection.cross_val_predict, note="Every row must be held out once: `KFold`, not `LeaveLastOut`.")
def cross_val_predict(tool, form):
    form.check_probabilities(tool(form.classifier(), form.X, form.y, cv=2, method="predict_proba"), form.y)
    with pytest.raises(ValueError, match="only works for partitions"):
        tool(form.classifier(), form.X, form.y, cv=form.last_out)


@tries(model_selection.learning_curve, note=f"Ids that a part lacks count as unknown. {ONE_NUMBER}")
def learning_curve(tool, form):
    sizes, _, scores = tool(form.classifier(), form.X, form.y, train_sizes=[30, 300], cv=2)
    assert sizes.tolist() == [30, 300]
    assert scores[0].mean() < scores[1].mean() > 0.85


@tries(model_selection.validation_curve, note=ONE_NUMBER)
def validation_curve(tool, form):
    (name, values), *_ = RATES.items()
    _, scores = tool(form.classifier(), form.X, form.y, param_name=name, param_range=values, cv=2)
    assert scores[0].mean() + 0.2 < scores[1].mean()


@tries(model_selection.permutation_test_score, note="Permutes `y`: for Classifiers and Regressors.")
def permutation_test_score(tool, form):
    score, shuffled, p_value = tool(form.classifier(), form.X, form.y, cv=2, n_permutations=4, random_state=0)
    assert score > 0.85 > shuffled.max()
    assert p_value == 1 / 5


@tries(
    model_selection.TunedThresholdClassifierCV, model_selection.FixedThresholdClassifier,
    note="Changes `predict` alone: the probabilities are the classifier's.",
)  # fmt: skip
def threshold(tool, form):
    model = tool(form.classifier()).fit(form.X, form.y)
    form.check(model)
    np.testing.assert_array_equal(model.predict_proba(form.X_test), model.estimator_.predict_proba(form.X_test))


# -- inspection


@tries(inspection.permutation_importance, note="A ranking scorer takes `y=None`, or the labels.")
def permutation_importance(tool, form):
    time, item, user = tool(
        form.classifier().fit(form.X, form.y), form.X_test, form.y_test, n_repeats=2, random_state=0
    ).importances_mean
    assert time == 0
    assert min(item, user) > 0.2


@tries(inspection.partial_dependence, note="Name ids and categories in its own `categorical_features` too.")
def partial_dependence(tool, form):
    model, both = form.make(FMClassifier).fit(form.features, form.y), form.columns(FEATURES[:2])
    table = tool(model, form.features, both, categorical_features=both)["average"][0]
    assert table.shape == (2, 2)
    assert min(table[0, 0], table[1, 1]) > 0.8
    assert max(table[0, 1], table[1, 0]) < 0.2


# -- classifiers and regressors of others


@tries(calibration.CalibratedClassifierCV, note="Of a fitted model: `CalibratedClassifierCV(FrozenEstimator(model))`.")
def calibrated_classifier(tool, form):
    held = frozen.FrozenEstimator(form.classifier().fit(form.X, form.y))
    for model in (tool(form.classifier(), cv=2).fit(form.X, form.y), tool(held).fit(form.X_test, form.y_test)):
        form.check_probabilities(model.predict_proba(form.X_test), form.y_test)
        form.check(model)


@tries(ensemble.StackingClassifier, ensemble.StackingRegressor, note="Members may each take other columns of `X`.")
def stacking(tool, form):
    members = [("fast", form.inner(tool)), ("slow", form.inner(tool, learning_rate=RATE / 2))]
    model = tool(members, cv=2).fit(form.X, form.y)
    assert model.transform(form.X).shape == (N_TRAIN, 2)
    form.check(model)


@tries(ensemble.VotingClassifier, ensemble.VotingRegressor, note="Members may each take other columns of `X`.")
def voting(tool, form):
    members = [("fast", form.inner(tool)), ("slow", form.inner(tool, learning_rate=RATE / 2))]
    form.check(tool(members).fit(form.X, form.y))


@tries(
    ensemble.BaggingClassifier, ensemble.BaggingRegressor,
    ensemble.AdaBoostClassifier, ensemble.AdaBoostRegressor, note=ARRAY,
)  # fmt: skip
def resampling(tool, form):
    model = tool(form.inner(tool), n_estimators=2, random_state=0).fit(form.X, form.y)
    assert len(model.estimators_) == 2
    assert all(len(one.users_) == 24 for one in model.estimators_)
    form.check(model)


def check_classes(tool, form):
    """There are three: two groups that meet may be both the first, both the second, or different."""
    options = {"code_size": 4, "random_state": 0} if tool is multiclass.OutputCodeClassifier else {}
    model = tool(form.classifier(), **options).fit(form.X, form.meeting)
    assert model.classes_.tolist() == [0, 1, 2]
    assert accuracy_score(form.meeting_test, model.predict(form.X_test)) > 0.85


tries(multiclass.OneVsRestClassifier, note="Classifiers know several classes by themselves.")(check_classes)
tries(multiclass.OneVsOneClassifier, note=NUMBERS, fails=NOT_NUMBERS)(check_classes)
tries(multiclass.OutputCodeClassifier, note="Classifiers know several classes by themselves.")(check_classes)


def check_outputs(tool, form):
    """There are two: the label, and whether it is the second group that meets itself."""
    model = tool(form.inner(tool)).fit(form.X, np.column_stack([form.y, form.meeting == 2]))
    truth = np.column_stack([form.y_test, form.meeting_test == 2])
    predicted = np.round(model.predict(form.X_test))
    assert predicted.shape == truth.shape
    assert (predicted == truth).mean(axis=0).min() > 0.85


tries(multioutput.MultiOutputClassifier, multioutput.MultiOutputRegressor, note="One model for each target.")(
    check_outputs
)
tries(
    multioutput.ClassifierChain, multioutput.RegressorChain, fails=NOT_NUMBERS,
    note=f"{NUMBERS} Models of features see the targets before.",
)(check_outputs)  # fmt: skip


@tries(semi_supervised.SelfTrainingClassifier, note=NUMBERS, fails=NOT_NUMBERS)
def self_training(tool, form):
    y = np.where(np.arange(N_TRAIN) % 3, form.y, -1)
    model = tool(form.classifier(), max_iter=2).fit(form.X, y)
    assert accuracy_score(form.y[y == -1], model.predict(form.X)[y == -1]) > 0.85
    form.check(model)


@tries(RANSACRegressor, note=NUMBERS, fails=NOT_NUMBERS)
def ransac(tool, form):
    consensus = {"min_samples": 400, "residual_threshold": 0.5, "max_trials": 2, "random_state": 0}
    form.check(tool(form.regressor(), **consensus).fit(form.X, form.y))


# -- selection of features


def strengths(model):
    """Return how strongly each field is crossed with others: what a getter of importances can read off a DCN."""
    return cross_strengths(model).sum()


LEFT_OUT = (
    f"`X` becomes an array of numbers (`{NOT_NUMBERS}`), in which columns change places as others are left out: "
    "for models of features without roles and categories."
)
GETTER = "Networks have no `coef_`: `importance_getter=lambda dcn: cross_strengths(dcn).sum()`."


@tries(feature_selection.SequentialFeatureSelector, note=LEFT_OUT, fails=NOT_NUMBERS)
def sequential_selector(tool, form):
    model = form.make(FMClassifier, categorical_features=None)
    selector = tool(model, n_features_to_select=2, direction="backward", cv=2).fit(form.features, form.y)
    assert selector.get_support().tolist() == [True, True, False]
    return "as numbers"


@tries(feature_selection.RFE, feature_selection.RFECV, note=f"{LEFT_OUT} {GETTER}", fails=NOT_NUMBERS)
def recursive_elimination(tool, form):
    model = form.make(DCNClassifier, categorical_features=None)
    options = {"n_features_to_select": 2} if tool is feature_selection.RFE else {"min_features_to_select": 2, "cv": 2}
    selector = tool(model, importance_getter=strengths, **options).fit(form.features, form.y)
    assert selector.get_support()[:2].all()
    assert selector.score(form.features_test, form.y_test) > 0.85
    return "as numbers"


@tries(feature_selection.SelectFromModel, note=GETTER)
def select_from_model(tool, form):
    model = form.make(DCNClassifier)
    selector = tool(model, threshold=-np.inf, max_features=2, importance_getter=strengths).fit(form.features, form.y)
    assert selector.get_support().tolist() == [True, True, False]


# -- other libraries

OPTUNA = "https://optuna-integration.readthedocs.io/en/stable/reference/index.html"


@tries(
    optuna_integration.OptunaSearchCV,
    note=f"{RANKS} `enable_pruning=True` trains by `partial_fit`.",
    library="optuna_integration",
    link=OPTUNA,
)
def optuna_search(tool, form):
    rates = {"learning_rate": optuna.distributions.CategoricalDistribution(RATES["learning_rate"])}
    options = {"n_trials": 4, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is experimental, and optuna.terminator deprecated
        ranks = tool(form.ranker(), rates, cv=form.last_out, scoring=make_ranking_scorer("ndcg@10"), **options)
        prunes = tool(form.classifier(), rates, cv=2, enable_pruning=True, max_iter=3, **options)
        searches = ranks.fit(form.events), prunes.fit(form.X, form.y)
    assert all(search.best_params_ == {"learning_rate": RATE} for search in searches)
    form.check_ranking(ranks)
    form.check(prunes)


@tries(
    optuna_integration.KerasPruningCallback,
    note='`callbacks=[KerasPruningCallback(trial, "loss")]`, or another of the logs, such as `"val_ndcg"`.',
    library="optuna_integration",
    link=OPTUNA,
)
def keras_pruning(tool, form):
    def objective(trial):
        rate = trial.suggest_categorical("learning_rate", RATES["learning_rate"])
        model = form.classifier(learning_rate=rate, callbacks=[tool(trial, "loss")])
        return model.fit(form.X, form.y).loss_curve_[-1]

    pruner = optuna.pruners.ThresholdPruner(upper=0.69)  # just below what no knowledge costs
    study = optuna.create_study(sampler=optuna.samplers.GridSampler(RATES, seed=0), pruner=pruner)
    study.optimize(objective)
    states = {trial.params["learning_rate"]: trial.state.name for trial in study.trials}
    assert states == {1e-6: "PRUNED", RATE: "COMPLETE"}


@tries(
    skops.io.dumps,
    note="`skops.io.loads(data, trusted=get_untrusted_types(data=data))`: of skrec, all begin with `skrec.`. "
    "`skrec.save` needs no list.",
    library="skops.io",
    link="https://skops.readthedocs.io/en/stable/persistence.html",
)
def skops_dumps(tool, form):
    ranks = pipeline.make_pipeline(IDEncoder(time=form.roles["time"]), form.ranker()).fit(form.events)
    reads_histories = form.make(SASRecRanker).fit(form.events)
    reads_features = form.make(FMClassifier).fit(form.features, form.y)
    rows = {ranks: form.X_test, reads_histories: form.X_test, reads_features: form.features_test}
    for model, X in rows.items():
        data = tool(model)
        with pytest.raises(skops.io.exceptions.UntrustedTypesFoundException):
            skops.io.loads(data)
        unknown = skops.io.get_untrusted_types(data=data)
        assert all(name.startswith("skrec.") for name in unknown)
        loaded = skops.io.loads(data, trusted=unknown)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        if model is not reads_features:
            form.check_ranking(loaded)


# ----------------------------------------------------------------------------------------------------------- the tests


@pytest.mark.parametrize("name", TOOLS)
def test_the_table_tells_how_the_tool_works(name):
    assert TOOLS[name].row() in PAGE.read_text(encoding="utf-8").splitlines()


def test_the_table_tells_of_these_tools_and_no_others():
    rows = re.findall(r"^\| \[`(.*?)`\]", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows == [tool.label for tool in TOOLS.values()]


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if tool.note.startswith(NUMBERS)])
def test_where_x_becomes_numbers_strings_may_be_encoded_before(name):
    tool = TOOLS[name].tool

    @wraps(tool)
    def behind_an_encoder(*args, **options):
        return pipeline.make_pipeline(IDEncoder(time="timestamp"), tool(*args, **options))

    TOOLS[name].run(behind_an_encoder, Form("str", named=True, by_name=False))


def test_scorers_of_several_metrics_work_in_no_tool_that_expects_one_number():
    form = Form("int", named=True, by_name=True)
    options = {"cv": form.last_out, "scoring": make_ranking_scorer(["ndcg@10", "recall@3"])}
    calls = {
        "cross_val_score": {},
        "learning_curve": {"y": None},
        "validation_curve": {"y": None, "param_name": "epochs", "param_range": [1]},
    }
    searches = {"HalvingGridSearchCV", "HalvingRandomSearchCV"}
    assert {*calls, *searches} == {name for name, tool in TOOLS.items() if ONE_NUMBER in tool.note}
    for name, more in calls.items():
        with pytest.raises((ValueError, AttributeError), match="must return a number|'list' object"):
            TOOLS[name].tool(form.ranker(), form.events, **more, **options)
    for name in searches:
        with pytest.raises(KeyError, match="test_score"):
            TOOLS[name].tool(form.ranker(), RATES, resource="epochs", max_resources=2, **options).fit(form.events)


def test_the_examples_of_the_page():
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    results = doctest.testfile(str(PAGE), module_relative=False, optionflags=flags)
    assert results.attempted > 20
    assert results.failed == 0


def test_a_model_that_lost_the_names_takes_the_first_columns_unless_it_is_told_of_them():
    form = Form("int", named=True, by_name=False)
    untold = form.classifier(user=None, item=None, time=None)
    bagging = ensemble.BaggingClassifier(untold, n_estimators=2, random_state=0).fit(form.X, form.y)
    assert accuracy_score(form.y_test, bagging.predict(form.X_test)) < 0.6
    form.check(clone(bagging).set_params(estimator=form.classifier()).fit(form.X, form.y))


def main():
    """Write the table anew."""
    head = "| Tool | Tried with | String ids in a DataFrame | Integer ids in a DataFrame | Array | How, and why |"
    rows = [head, "|---" * 6 + "|", *(tool.row() for tool in TOOLS.values())]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    PAGE.write_text(before + START + "\n".join(rows) + "\n" + END + rest.partition(END)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
