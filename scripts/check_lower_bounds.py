"""Run the tests with the oldest versions that pyproject.toml allows.

Makes a virtual environment in a temporary folder, installs skrec and its test dependencies there at exactly their lower
bounds, and runs the quick tests (or those named on the command line). Run it with the oldest Python supported::

    python3.11 scripts/check_lower_bounds.py [pytest arguments]
"""

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def lower_bounds(project: dict) -> list[str]:
    """Return the requirements of the package and its tests, pinned to their lower bounds."""
    requirements = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    unbounded = [requirement for requirement in requirements if ">=" not in requirement]
    if unbounded:
        sys.exit(f"pyproject.toml gives no lower bound for {', '.join(unbounded)}.")
    return [requirement.replace(">=", "==") for requirement in requirements]


def main(arguments: list[str]) -> int:
    """Return pytest's exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=")
    if ".".join(map(str, sys.version_info[:2])) != oldest:
        sys.exit(f"Run this with Python {oldest}, the oldest that is supported.")
    pins = lower_bounds(project)
    print("\n".join(pins), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join(pins), encoding="utf-8")
        environment = Path(folder, "venv")
        venv.create(environment, with_pip=True)
        python = environment / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
        subprocess.run([*pip, "--constraint", constraints, f"{ROOT}[test]"], check=True)
        # Old versions warn about what newer ones changed: here warnings are not errors.
        pytest = [python, "-m", "pytest", "-o", "filterwarnings=default", "--disable-warnings", "-q"]
        return subprocess.run([*pytest, *(arguments or ["-m", "not slow"])], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
