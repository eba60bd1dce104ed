"""The list of estimators, and that each of them is what it must be."""

import inspect
import pkgutil

import pytest
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone

import skrec
from skrec import models, preprocessing
from skrec.testing import all_estimators


def test_all_public_models_and_transformers_are_listed_by_name():
    names = [name for name, _ in all_estimators()]
    assert names == sorted({*models.__all__, *preprocessing.__all__})


def test_kinds_can_be_chosen():
    architectures = ["AutoInt", "DCN", "DIN", "DNN", "DeepFM", "FM", "NCF", "NFM", "WideDeep"]
    alone = {"regressor": ["AutoRecRegressor"], "classifier": ["MKRClassifier"]}
    for kind, others in alone.items():
        expected = sorted([f"{name}{kind.title()}" for name in architectures] + others)
        assert [name for name, _ in all_estimators(kind)] == expected
    transformers = [
        "AutoencoderFeatures",
        "FeatureCrosses",
        "GraphFeatures",
        "HistoryEncoder",
        "IDEncoder",
        "MultiHotEncoder",
    ]
    assert [name for name, _ in all_estimators("transformer")] == transformers
    both = [name for name, _ in all_estimators(["ranker", "regressor"])]
    assert both == sorted(name for name in models.__all__ if name.endswith(("Ranker", "Regressor")))


@pytest.mark.parametrize("kind", ["cluster", ["ranker", "Classifier"]])
def test_other_kinds_are_refused(kind):
    with pytest.raises(ValueError, match=r"one of 'classifier', .*got '(cluster|Classifier)'"):
        all_estimators(kind)


@pytest.mark.parametrize(("name", "cls"), all_estimators())
def test_every_estimator_is_documented_and_can_be_made_without_arguments(name, cls):
    assert clone(cls()).get_params().keys() == cls().get_params().keys()
    for heading in ("Parameters\n", "Attributes\n", "Examples\n"):
        assert heading in inspect.getdoc(cls), f"{name} has no section {heading.strip()}"
    for parameter in cls().get_params():
        assert f"{parameter}" in inspect.getdoc(cls), f"the docstring of {name} lacks {parameter}"


def test_no_public_package_hides_an_estimator():
    """What a public package defines and does not list would be missed by users, too; base classes are no estimators."""
    listed = {cls for _, cls in all_estimators()}
    for package in pkgutil.iter_modules(skrec.__path__, "skrec."):
        module = getattr(skrec, package.name.removeprefix("skrec."), None)
        for name in getattr(module, "__all__", ()) if package.name != "skrec.base" and package.ispkg else ():
            value = getattr(module, name)
            if inspect.isclass(value) and issubclass(value, BaseEstimator) and hasattr(value, "fit"):
                assert (value in listed) is not issubclass(value, MetaEstimatorMixin)
