"""The package as a whole: what importing it costs, its names, its metadata."""

import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.util import find_spec
from inspect import isfunction, signature
from pathlib import Path

import pytest

import skrec

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("numpy", "pandas", "scipy", "sklearn", "optuna", "polars", "matplotlib", "tensorflow", "keras")
SUBMODULES = [
    path.stem
    for path in sorted(Path(skrec.__file__).parent.iterdir())
    if path.name != "__init__.py"
    and path.name != "_engine"
    and (path.suffix == ".py" or (path / "__init__.py").exists())
]


def run(code):
    """Run code in a fresh process; return what it prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()


def test_importing_skrec_imports_nothing_heavy():
    assert run(f"import skrec, sys; dir(skrec); print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_importing_skrec_takes_less_than_a_tenth_of_a_second():
    code = "import time; start = time.perf_counter(); import skrec; print(time.perf_counter() - start)"
    assert min(float(run(code)) for _ in range(3)) < 0.1


@pytest.mark.slow
def test_nothing_but_the_engine_imports_tensorflow():
    imports = "; ".join(f"import skrec.{name}" for name in SUBMODULES)
    assert run(f"import sys; {imports}; print([m for m in ('tensorflow', 'keras') if m in sys.modules])") == "[]"


def test_signatures_can_be_read():
    for module in map(import_module, (f"skrec.{name}" for name in SUBMODULES)):
        for function in (getattr(module, name) for name in getattr(module, "__all__", ())):
            members = vars(function).values() if isinstance(function, type) else ()
            for one in filter(isfunction, (function, *members)):
                assert "numpy._typing" not in str(signature(one)), one


def test_public_functions_and_classes_have_an_example():
    packages = [skrec, *(import_module(f"skrec.{name}") for name in SUBMODULES if not name.startswith("_"))]
    public = {one for package in packages for name in package.__all__ if callable(one := getattr(package, name))}
    own = {one for one in public if one.__module__.startswith("skrec")}
    assert {skrec.recommend, skrec.base.NetworkRanker, skrec.models.NCFRanker} <= own
    assert {one.__name__ for one in own if ">>>" not in (one.__doc__ or "")} == set()


def test_public_names_are_there_and_listed():
    assert set(skrec.__all__) <= set(dir(skrec))
    for name in skrec.__all__:
        assert getattr(skrec, name) is not None
    assert callable(skrec.recommend)
    assert skrec.exceptions is sys.modules["skrec.exceptions"]
    with pytest.raises(AttributeError, match="module 'skrec' has no attribute 'modells'"):
        skrec.modells


def test_public_modules_list_their_names():
    for name in SUBMODULES:
        if not name.startswith("_"):
            module = getattr(skrec, name)
            assert module.__doc__
            assert set(module.__all__) <= set(dir(module))


def test_metadata_and_changelog_follow_the_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (project["name"], project["dynamic"]) == ("skrec-deep", ["version"])
    assert all(">=" in requirement and "<" not in requirement for requirement in project["dependencies"])
    assert f"## {skrec.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert find_spec("skrec").submodule_search_locations
    assert (Path(skrec.__file__).parent / "py.typed").exists()


def test_show_versions_says_which_gpus_tensorflow_sees(capsys):
    import tensorflow as tf

    skrec.show_versions()
    line = next(line for line in capsys.readouterr().out.splitlines() if "GPUs:" in line)
    assert ("sees none" in line) == (not tf.config.list_physical_devices("GPU"))


def test_show_versions_imports_nothing_heavy():
    output = run(f"import skrec, sys; skrec.show_versions(); print([m for m in {HEAVY} if m in sys.modules])")
    assert output.endswith("[]")
    for name in ("python", "CPUs", "skrec: " + skrec.__version__, "sklearn", "tensorflow", "keras", "polars", "optuna"):
        assert name in output
