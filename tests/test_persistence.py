"""skrec.save and skrec.load: what goes in comes out, nothing is executed, and damage never goes unnoticed."""

import hashlib
import json
import os
import pickle
import subprocess
import sys
import types
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn import preprocessing
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

import skrec
from skrec._data import Interactions, Roles, Vocabulary
from skrec.exceptions import FileFormatError
from skrec.models import NCFClassifier, NCFRanker, PopularityRanker
from skrec.persistence import _classes
from skrec.preprocessing import IDEncoder


class Fake(BaseEstimator):
    def __init__(self, value=None):
        self.value = value


@pytest.fixture(scope="module", autouse=True)
def fake_module():
    """Make Fake a class that may be stored, as those of skrec.models are."""
    module = types.ModuleType("skrec_fakes")
    module.Fake, module.__all__ = Fake, ["Fake"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fake, "__module__", "skrec_fakes")
        patch.setitem(sys.modules, "skrec_fakes", module)
        patch.setattr(_classes, "_MODULES", [*_classes._MODULES, "skrec_fakes"])
        yield


@pytest.fixture
def file(tmp_path):
    return tmp_path / "model.skrec"


def round_trip(value, file):
    skrec.save(Fake(value), file)
    return skrec.load(file).value


def assert_same(left, right):
    """Compare by type and value, NaN equal to NaN."""
    assert type(left) is type(right)
    if isinstance(left, np.ndarray):
        assert (left.dtype, left.shape) == (right.dtype, right.shape)
        if left.dtype == object:
            assert_same(left.ravel().tolist(), right.ravel().tolist())
        else:
            assert left.tobytes() == right.tobytes()
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
    elif isinstance(left, dict):
        assert_same(list(left), list(right))
        assert_same(list(left.values()), list(right.values()))
    elif isinstance(left, float | np.generic):
        assert np.array(left).tobytes() == np.array(right).tobytes()
    else:
        assert left == right


# ---------------------------------------------------------------------------------------------------------- round trips

numbers = st.one_of(st.integers(), st.floats(allow_nan=False), st.just(float("nan")), st.booleans())
keys = st.one_of(st.none(), numbers, st.text(), st.binary(max_size=5))
arrays = st.sampled_from(
    [
        np.arange(6).astype(dtype).reshape(2, 3)
        for dtype in ("i1", "u8", ">i4", "f2", "f4", "f8", "c16", "M8[ns]", "m8[D]")
    ]
    + [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10.0)[::3],
        np.array(3.5),
        np.empty((0, 4), dtype=np.float32),
        np.array(["é", "long"]),
        np.array([b"a", b"bc"]),
        np.array([True, False]),
        np.array([["a", 1], [None, (1.5, "x")]], dtype=object),
        np.array([], dtype=object),
    ]
)
scalars = st.sampled_from(
    [np.float32(0.1), np.int64(-3), np.bool_(True), np.str_("é"), np.datetime64("2020-01-01", "ns")]
)
types_ = st.sampled_from([np.dtype("f4"), np.dtype(">i8"), np.int64, np.float32, np.bool_, np.str_, int, float, object])
values = st.recursive(
    st.one_of(keys, arrays, scalars, types_, st.just(slice(1, None, -2))),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3),
        st.tuples(parts, parts),
        st.dictionaries(keys, parts, max_size=3),
        st.frozensets(st.integers() | st.text(), max_size=3),
        st.sets(st.binary() | st.none(), max_size=3),
    ),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(values)
def test_any_nesting_of_plain_values_and_arrays_comes_back(file, value):
    assert_same(round_trip(value, file), value)


def test_objects_that_models_are_made_of(file):
    roles = Roles(user=1, item=0, time=None, names=("item", "user"))
    assert round_trip([roles, (roles, None)], file) == [roles, (roles, None)]
    log = Interactions.from_codes([1, 2, 1], [1, 1, 2], n_users=3, n_items=2)
    for name in ("indptr", "items", "item_counts"):
        assert_same(getattr(round_trip(log, file), name), getattr(log, name))


@pytest.mark.parametrize(
    "ids", [["b", "a", "é"], [3, 1, 10**18 + 1], [1.5, 2], [1, "1", True, "x"], [2**64 - 1, 1], [True, False]]
)
def test_vocabularies_with_every_kind_of_id(file, ids):
    vocabulary, codes = Vocabulary.fit(ids, name="user")
    vocabulary.encode(ids)  # fills what it caches
    loaded = round_trip(vocabulary, file)
    assert_same(loaded.ids, vocabulary.ids)
    assert_same(loaded.encode(ids), codes)
    assert loaded.name == "user"


EVENTS = pd.DataFrame(
    {
        "user_id": ["ann", "ann", "bob", "cy", "bob", "dee"],
        "item_id": [5, 7, 7, 9, 5, 9],
        "price": [1.0, 2.5, 3.0, 1.5, 2.0, 4.0],
    }
)


def test_an_encoder(file):
    encoder = (
        IDEncoder(min_frequency=2, dtype=np.int32).set_output(transform="pandas").fit(EVENTS[["user_id", "item_id"]])
    )
    skrec.save(encoder, file)
    loaded = skrec.load(file)
    X = EVENTS[["user_id", "item_id"]].assign(item_id=[5, 5, 7, 8, 9, 9])
    pd.testing.assert_frame_equal(loaded.transform(X), encoder.transform(X))
    assert repr(loaded) == repr(encoder)
    assert clone(loaded).get_params() == encoder.get_params()


def test_an_estimator_that_is_not_fitted(file):
    skrec.save(NCFRanker(hidden_units=(8, 4), l2=0.1), file)
    assert skrec.load(file).get_params() == NCFRanker(hidden_units=(8, 4), l2=0.1).get_params()


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_a_pipeline_recommends_the_same(file, output):
    parts = [("price", preprocessing.StandardScaler(), ["price"]), ("ids", IDEncoder(), ["user_id", "item_id"])]
    columns = ColumnTransformer(parts, remainder="passthrough", verbose_feature_names_out=False)
    columns.set_output(transform=output)
    model = PopularityRanker() if output == "pandas" else PopularityRanker(user=1, item=2)
    pipeline = Pipeline([("columns", columns), ("model", FrozenEstimator(model))])
    X = EVENTS.assign(other=1)
    model.fit(columns.fit_transform(X))
    skrec.save(pipeline.fit(X), file)
    loaded = skrec.load(file)
    np.testing.assert_array_equal(loaded.predict(X), pipeline.predict(X))
    queries = ["bob", "zoe"]
    pd.testing.assert_frame_equal(skrec.recommend(loaded, queries), skrec.recommend(pipeline, queries))


@pytest.mark.parametrize("name", _classes._SKLEARN["sklearn.preprocessing"])
def test_transformers_of_scikit_learn(file, name):
    options = {"KBinsDiscretizer": {"n_bins": 2, "encode": "ordinal", "quantile_method": "averaged_inverted_cdf"}}
    options["QuantileTransformer"] = {"n_quantiles": 3}
    if name == "KBinsDiscretizer" and "quantile_method" not in preprocessing.KBinsDiscretizer().get_params():
        options[name].pop("quantile_method")
    transformer = make_pipeline(SimpleImputer(), getattr(preprocessing, name)(**options.get(name, {})))
    X = EVENTS[["item_id", "price"]].astype(float)
    skrec.save(transformer.fit(X), file)
    expected, result = transformer.transform(X), skrec.load(file).transform(X)
    expected, result = (getattr(array, "toarray", lambda array=array: array)() for array in (expected, result))
    np.testing.assert_array_equal(result, expected)


@pytest.mark.slow
def test_networks_predict_the_same_in_another_process(tmp_path):
    X, y = pd.concat([EVENTS] * 5, ignore_index=True), [0, 1, 1] * 10
    expected = []
    for model in (NCFRanker(epochs=1, random_state=0), NCFClassifier(epochs=1, random_state=0)):
        pipeline = make_pipeline(IDEncoder().set_output(transform="pandas"), model).fit(X[["user_id", "item_id"]], y)
        skrec.save(pipeline, tmp_path / str(len(expected)))
        expected.append(pipeline.predict(EVENTS[["user_id", "item_id"]]))
    code = (
        "import os, pickle, sys, skrec; X = pickle.load(sys.stdin.buffer); files = sorted(os.listdir());"
        "sys.stdout.buffer.write(pickle.dumps([skrec.load(file).predict(X) for file in files]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(EVENTS[["user_id", "item_id"]]),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(skrec.__file__).parents[1])},
    )
    for one, other in zip(pickle.loads(result.stdout), expected, strict=True):
        np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------------------------------------------ what cannot be stored


def cyclic():
    value = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            len,
            r"Fake\.value is <built-in function len> \(builtin_function_or_method\), which needs pickle to be stored",
        ),
        (
            {"a": [1, lambda: 0]},
            r"Fake\.value\['a'\]\[1\] is <function .*Replace it, or store the estimator with pickle",
        ),
        (Fake(np.random.RandomState(0)), r"Fake\.value\.value is RandomState\(MT19937\)"),
        (np.array([1, {2: os}], dtype=object), r"Fake\.value\.flat\[1\]\[2\] is <module 'os'"),
        (np.ma.masked_array([1, 2]), r"Fake\.value is masked_array"),
        (np.zeros(2, dtype=[("a", "f4")]), r"Fake\.value is array"),
        (pd.Timestamp(0), r"Fake\.value is Timestamp"),
        ({len: 1}, r"Fake\.value \(a key\) is <built-in"),
        (os.system, r"Fake\.value is <built-in function system>"),
        (Path, r"Fake\.value is <class"),
        (cyclic(), r"nested too deeply, or contains itself"),
    ],
)
def test_what_needs_pickle_is_an_error_that_says_where_it_is(file, value, message):
    with pytest.raises(TypeError, match=message):
        skrec.save(Fake(value), file)
    assert not list(file.parent.iterdir())


def test_ids_that_need_pickle(file):
    with pytest.raises(TypeError, match=r"Column 'x0' has \('a', 1\) \(tuple\)"):
        skrec.save(IDEncoder().fit(tuple_ids()), file)


def tuple_ids():
    X = np.empty((2, 1), dtype=object)
    X[:, 0] = [("a", 1), ("b", 2)]
    return X


def test_only_estimators_that_it_knows(file):
    with pytest.raises(
        TypeError, match=r"GridSearchCV is not a class that skrec\.save can store\. Save its best_estimator_"
    ):
        skrec.save(GridSearchCV(IDEncoder(), {}, scoring=lambda *_: 0.0, cv=2).fit(EVENTS), file)
    for thing in ({"a": 1}, None, IDEncoder, np.zeros(3)):
        with pytest.raises(TypeError, match=r"is not a class that skrec\.save can store\. .*[Rr]eplace it, or store"):
            skrec.save(thing, file)


# ------------------------------------------------------------------------------------------------------- writing a file


def test_a_save_that_fails_leaves_the_old_file_and_no_litter(file, monkeypatch):
    skrec.save(Fake(1), file)

    def full(_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space left"):
        skrec.save(Fake(2), file)
    assert list(file.parent.iterdir()) == [file]
    assert skrec.load(file).value == 1


def test_where_files_go(tmp_path):
    first, link = tmp_path / "first.skrec", tmp_path / "link.skrec"
    skrec.save(Fake(1), str(first))
    link.symlink_to(first)
    skrec.save(Fake(2), link)
    assert link.is_symlink()
    assert skrec.load(first).value == skrec.load(str(link)).value == 2
    (tmp_path / "plain").touch()
    assert first.stat().st_mode == (tmp_path / "plain").stat().st_mode
    with pytest.raises(FileNotFoundError, match="The folder .*nowhere does not exist: create it first"):
        skrec.save(Fake(), tmp_path / "nowhere" / "model.skrec")
    with pytest.raises(FileNotFoundError):
        skrec.load(tmp_path / "nothing.skrec")


def test_the_same_estimator_gives_the_same_bytes(file):
    skrec.save(IDEncoder().fit(EVENTS), file)
    before = file.read_bytes()
    skrec.save(skrec.load(file), file)
    assert file.read_bytes() == before


# -------------------------------------------------------------------------------------------- foreign and damaged files


def rewrite(file, edit=lambda manifest, arrays: None, compression=zipfile.ZIP_STORED, comment=None):
    """Change a file as somebody would who knows its format."""
    with zipfile.ZipFile(file) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist() if name != "manifest.json"}
        manifest = json.loads(archive.read("manifest.json"))
    for name, data in arrays.items():
        assert manifest["arrays"][name] == hashlib.sha256(data).hexdigest()
    edit(manifest, arrays)
    manifest["arrays"] = {name: hashlib.sha256(data).hexdigest() for name, data in arrays.items()}
    content = json.dumps(manifest).encode()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in {**arrays, "manifest.json": content}.items():
            archive.writestr(name, data)
        archive.comment = (comment or hashlib.sha256(content).hexdigest()).encode()


@pytest.fixture
def saved(file):
    skrec.save(Fake([Roles(0, 1), np.arange(100.0), {"b": float("inf")}]), file)
    return file


def test_a_file_that_was_written_anew_without_change_loads(saved):
    rewrite(saved)
    np.testing.assert_array_equal(skrec.load(saved).value[1], np.arange(100.0))


def npy(array, **options):
    buffer = BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def promise(shape):
    """Return an array file whose header promises a shape that is not there."""
    buffer = BytesIO()
    np.lib.format.write_array_header_1_0(buffer, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return buffer.getvalue() + bytes(800)


def array(data):
    return lambda manifest, arrays: arrays.update({"arrays/0.npy": data})


def at(*path, value):
    def edit(manifest, arrays):
        node = manifest
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value

    return edit


VALUE = ("estimator", "state", "value")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (at("format", value="other"), r"Its manifest\.json is not one that skrec\.save wrote"),
        (at("format_version", value=3), r"It has format 3, and skrec .* knows 2\. It was written by skrec .* Install"),
        (at("format_version", value="1"), "It is damaged or was altered"),
        (at("estimator", "class", value="os.system"), r"It contains 'os\.system', which skrec .* does not load"),
        (at("estimator", "class", value="skrec.models.NoSuchModel"), r"It contains 'skrec\.models\.NoSuchModel'"),
        (at("estimator", "class", value="skrec.models.factors._ncf.NCFRanker"), "It contains"),
        (at("estimator", "class", value="sklearn.pipeline.FeatureUnion"), "It contains"),
        (at("estimator", "class", value="skrec._data.resolve_roles"), "It contains"),
        (at("estimator", "class", value=["os"]), "It is damaged"),
        (at("estimator", "state", "not a name", value=1), "The attributes of Fake have invalid names"),
        (at(*VALUE, 0, "state", value={"user": 0}), "Roles has missing or unknown attributes"),
        (at(*VALUE, 1, "value", value=7), "It is damaged"),
        (at(*VALUE, 2, value={"type": "evil"}), "It is damaged"),
        (at(*VALUE, 2, value={"type": "dtype", "value": "O"}), "It is damaged"),
        (at(*VALUE, 2, value={"type": "scalar", "dtype": "O", "value": "00" * 8}), "It is damaged"),
        (at(*VALUE, 2, value={"type": "builtin", "value": "eval"}), "It is damaged"),
        (array(b"not an array"), "It is damaged"),
        (array(npy(np.array([{}], dtype=object))), "It is damaged"),
        (array(promise((10**12,))), "It is damaged"),
        (array(promise((10**30, 10**30))), "It is damaged"),
        (array(promise((-100,))), "It is damaged"),
        (lambda manifest, arrays: manifest.pop("estimator"), "It is damaged"),
    ],
)
def test_altered_contents_are_refused(saved, edit, message):
    rewrite(saved, edit)
    with pytest.raises(FileFormatError, match=message):
        skrec.load(saved)


def test_altered_archives_are_refused(saved):
    original = saved.read_bytes()
    rewrite(saved, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(FileFormatError, match=r"model\.skrec cannot be loaded\. It is damaged"):
        skrec.load(saved)
    saved.write_bytes(original)
    rewrite(saved, comment="0" * 64)
    with pytest.raises(FileFormatError, match="It is damaged"):
        skrec.load(saved)
    saved.write_bytes(original)
    with zipfile.ZipFile(saved, "a") as archive:
        archive.writestr("more.txt", "more")
    with pytest.raises(FileFormatError, match="It is damaged"):
        skrec.load(saved)
    with zipfile.ZipFile(saved, "w") as archive:
        archive.writestr("more.txt", "more")
    with pytest.raises(FileFormatError, match=r"It has no manifest\.json: it is not a file that skrec\.save wrote"):
        skrec.load(saved)


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"user,item\n1,2\n", pickle.dumps(Fake)[:20], b"PK\x03\x04" + bytes(50)]
)
def test_foreign_files_are_refused(file, content):
    file.write_bytes(content)
    wrong = r"model\.skrec (is not a file that skrec\.save or skrec\.export wrote|cannot be loaded)"
    with pytest.raises(FileFormatError, match=wrong):
        skrec.load(file)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_random_damage_never_loads_wrong(saved, data):
    skrec.save(Fake([Roles(0, 1), np.arange(100.0), {"b": float("inf")}]), saved)
    content = bytearray(saved.read_bytes())
    expected = skrec.load(saved).value
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        for _ in range(data.draw(st.integers(1, 3))):
            content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    saved.write_bytes(content)
    try:
        loaded = skrec.load(saved).value
    except FileFormatError:
        return
    assert loaded[0] == expected[0]
    assert_same(loaded[1:], expected[1:])


@pytest.mark.parametrize("package", ["skrec", "scikit-learn"])
def test_another_version_is_a_warning(file, package):
    skrec.save(make_pipeline(preprocessing.StandardScaler(), PopularityRanker()), file)
    rewrite(file, at("versions", package, value="0.0.7"))
    with pytest.warns(
        UserWarning, match=f"was written with {package} 0.0.7, and this is {package} .*: predictions may"
    ):
        assert isinstance(skrec.load(file), Pipeline)


# ---------------------------------------------------------------------------------------------------------- older files


@dataclass
class Part:
    old: int
    older: str = "default"
    oldest: list = field(default_factory=list)


def test_a_class_that_has_moved_and_attributes_that_were_renamed_or_added(file, monkeypatch):
    module = sys.modules["skrec_fakes"]
    monkeypatch.setattr(module, "Part", Part, raising=False)
    monkeypatch.setattr(module, "__all__", ["Fake", "Part"])
    skrec.save(Fake(Part(1, "given", [2])), file)
    assert skrec.load(file).value == Part(1, "given", [2])
    rewrite(file, at("estimator", "state", "value", "class", value="skrec.gone.Piece"))
    with pytest.raises(FileFormatError, match=r"It contains 'skrec\.gone\.Piece'"):
        skrec.load(file)
    monkeypatch.setitem(_classes._MOVED, "skrec.gone.Piece", "skrec_fakes.Part")
    assert skrec.load(file).value == Part(1, "given", [2])
    rewrite(file, at("estimator", "state", "value", "state", value={"former": 3}))
    with pytest.raises(FileFormatError, match="Part has missing or unknown attributes"):
        skrec.load(file)
    monkeypatch.setitem(_classes._RENAMED, "skrec_fakes.Part", {"former": "old"})
    assert skrec.load(file).value == Part(3, "default", [])


# ------------------------------------------------------------------------------- classes and functions that are trusted


def double(X):
    return 2 * X


class Scaled(PopularityRanker):
    """A model of one's own; its attributes are stored as those of any other."""


class Counter:
    def __init__(self, n):
        self.n = n


class Versioned(Counter):
    def __getstate__(self):
        return {"stored": self.n}

    def __setstate__(self, state):
        self.n = state["stored"]


class Slotted:
    __slots__ = ("n",)


class Listed(list):
    pass


@pytest.fixture
def own_module(monkeypatch):
    """Make the classes above importable, as those of a user's module are."""
    module = types.ModuleType("own_models")
    monkeypatch.setitem(sys.modules, "own_models", module)
    for one in (double, Scaled, Counter, Versioned, Slotted, Listed):
        monkeypatch.setattr(one, "__module__", "own_models")
        setattr(module, one.__name__, one)
    return module


def test_a_model_of_ones_own_is_stored_by_its_name(own_module, file):
    model = Scaled().fit(EVENTS)
    with pytest.raises(TypeError, match=r"Scaled is not a class .*If it is your own .*pass trusted=\[Scaled\] to save"):
        skrec.save(model, file)
    skrec.save(model, file, trusted=[Scaled])
    with pytest.raises(FileFormatError, match=r"contains 'own_models\.Scaled'.*import it and pass trusted=\[Scaled\]"):
        skrec.load(file)
    with pytest.raises(FileFormatError, match=r"trusted=\[Scaled\]"):
        skrec.load(file, trusted=[Counter])
    loaded = skrec.load(file, trusted=[Scaled, Counter])
    assert type(loaded) is Scaled
    pd.testing.assert_frame_equal(loaded.recommend(["bob"]), model.recommend(["bob"]))


def test_functions_and_other_classes_in_parameters(own_module, file):
    trusted = [double, np.log1p, Counter, Versioned, LogisticRegression]
    steps = [preprocessing.FunctionTransformer(double), preprocessing.FunctionTransformer(np.log1p)]
    X, y = EVENTS[["price"]], [0, 1, 1, 0, 1, 1]
    pipeline = make_pipeline(*steps, LogisticRegression()).fit(X, y)
    with pytest.raises(
        TypeError, match=r"Pipeline\.steps\[0\]\[1\]\.func is <function double .*pass trusted=\[double\]"
    ):
        skrec.save(pipeline, file, trusted=[np.log1p, LogisticRegression])
    skrec.save(pipeline, file, trusted=trusted)
    np.testing.assert_array_equal(skrec.load(file, trusted=trusted).predict_proba(X), pipeline.predict_proba(X))
    with pytest.raises(FileFormatError, match=r"contains 'own_models\.double'.*trusted=\[double\]"):
        skrec.load(file, trusted=[np.log1p, LogisticRegression])
    skrec.save(Fake([Counter(3), Versioned(4), Counter]), file, trusted=trusted)
    one, other, cls = skrec.load(file, trusted=trusted).value
    assert (type(one), one.n, type(other), other.n, cls) == (Counter, 3, Versioned, 4, Counter)


def test_nothing_is_imported_because_a_file_names_it(own_module, file, monkeypatch):
    skrec.save(Scaled().fit(EVENTS), file, trusted=[Scaled])
    rewrite(file, at("estimator", "class", value="antigravity.Model"))
    monkeypatch.delitem(sys.modules, "antigravity", raising=False)
    with pytest.raises(FileFormatError, match=r"It contains 'antigravity\.Model'"):
        skrec.load(file, trusted=[Scaled])
    assert "antigravity" not in sys.modules
    rewrite(file, at("estimator", "class", value="own_models.double"))
    with pytest.raises(FileFormatError, match="It is damaged"):
        skrec.load(file, trusted=[double])


def test_what_cannot_be_trusted(own_module, file):
    for trusted, match in (
        (Scaled, r"trusted must be a list of classes and functions.*pass \[\.\.\.\]"),
        ("own_models.Scaled", "trusted must be a list"),
        (["own_models.Scaled"], "trusted holds the string 'own_models.Scaled': import the class"),
        ([lambda: 0], "a class or function that cannot be imported by its name"),
        ([Scaled()], "trusted holds Scaled.*an object that cannot be imported"),
    ):
        with pytest.raises(TypeError, match=match):
            skrec.save(Scaled(), file, trusted=trusted)
    for value in (Slotted(), Listed([1]), pd.Timestamp(0)):
        with pytest.raises(TypeError, match="holds more than its attributes: it needs pickle to be stored, even if"):
            skrec.save(Fake(value), file, trusted=[type(value)])


# ------------------------------------------------------------------------------------------- arrays of whole numbers


@pytest.mark.parametrize(
    ("low", "high", "n_bytes"),
    [(0, 200, 1), (0, 60_000, 2), (-100, 100, 1), (-1, 40_000, 4), (0, 2**40, 8)],
)
def test_long_arrays_of_whole_numbers_are_stored_in_the_smallest_type(low, high, n_bytes, file):
    array = np.linspace(low, high, 10_000).astype(np.int64)
    for one in (array, array.reshape(100, 100), array.astype(">i8")):
        assert_same(round_trip(one, file), one)
        assert file.stat().st_size == pytest.approx(10_000 * n_bytes, abs=2_000)
    first, second = round_trip([array, array], file)
    assert first is second
    assert first.flags.writeable


def test_types_of_narrow_arrays_are_checked(file):
    skrec.save(Fake(np.arange(10_000)), file)
    for wrong in ("<f8", "O", "<M8[s]", "x"):
        altered = file.with_suffix(".altered")
        altered.write_bytes(file.read_bytes())
        rewrite(altered, at(*VALUE, "dtype", value=wrong))
        with pytest.raises(FileFormatError, match="damaged"):
            skrec.load(altered)
