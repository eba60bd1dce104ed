"""Files that skrec.save wrote in earlier states of the library load, and the estimators in them do what they did."""

import json
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import skrec

ARCHIVES = sorted((Path(__file__).parent / "saved").glob("*.zip"))
# Of the packages' versions, which a later state of the library rightly warns of.
pytestmark = pytest.mark.filterwarnings("ignore:.*was written with:UserWarning")


@cache
def content(archive):
    with zipfile.ZipFile(archive) as file:
        return json.loads(file.read("calls.json"))


CASES = [(archive, name) for archive in ARCHIVES for name in content(archive)["calls"]]


def load(archive, name, folder):
    with zipfile.ZipFile(archive) as file:
        return skrec.load(file.extract(f"{name}.skrec", folder))


def argument(value):
    if not isinstance(value, dict):
        return value
    columns = {name: pd.Series(values, dtype=value["dtypes"].get(name)) for name, values in value["table"].items()}
    return pd.DataFrame(columns)


def result_of(estimator, call):
    arguments = [argument(one) for one in call["args"]]
    options = {name: argument(one) for name, one in call["kwargs"].items()}
    if call["method"] == "skrec.recommend":
        return skrec.recommend(estimator, *arguments, **options)
    member = getattr(estimator, call["method"])
    return member(*arguments, **options) if callable(member) else member


def assert_as_before(result, before):
    """Compare a result with what is left of one in JSON: numbers about, all else exactly."""
    if isinstance(before, dict):
        assert [*result] == [*before]
        for name in before:
            assert_as_before(result[name], before[name])
    elif isinstance(before, list):
        result = result.toarray() if hasattr(result, "toarray") else result
        result = result.tolist() if hasattr(result, "tolist") else result
        assert len(result) == len(before)
        for one, other in zip(result, before, strict=True):
            assert_as_before(one, other)
    elif isinstance(before, float):
        assert result == pytest.approx(before, rel=1e-4, abs=1e-6)
    else:
        assert result == before


@pytest.mark.parametrize(("archive", "name"), CASES, ids=[f"{archive.stem}-{name}" for archive, name in CASES])
def test_it_does_what_it_did(archive, name, tmp_path):
    estimator = load(archive, name, tmp_path)
    for call in content(archive)["calls"][name]:
        result = result_of(estimator, call)
        if call["method"] == "get_params":  # a parameter that came later has its default
            result = {parameter: result[parameter] for parameter in call["result"]}
        assert_as_before(result, call["result"])


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.stem)
def test_training_starts_from_the_stored_weights_and_optimizer(archive, tmp_path):
    events = argument(content(archive)["events"])
    resume = load(archive, "ncf_warm_ema", tmp_path)
    before, steps = resume.item_embeddings_.copy(), resume._iterations
    resume.set_params(learning_rate=1e-6, ema_momentum=0.0).fit(events)
    assert len(resume.loss_curve_) == 6
    assert resume.loss_curve_[-1] < resume.loss_curve_[0]
    assert resume._iterations > steps
    assert 0 < np.abs(resume.item_embeddings_ - before).max() < 0.2 * np.abs(before).max()
    for name in ("popularity_part", "sasrec"):
        columns = ["user_id", "item_id", "timestamp"] if name == "sasrec" else ["user_id", "item_id"]
        model = load(archive, name, tmp_path)
        model.partial_fit(events[columns].head(8).assign(user_id="new", timestamp=1_800_000_000)[columns])
        assert model.users_.tolist()[-1] == "new"
        assert model.seen_items(["new", "ann"]).sum() > 8
