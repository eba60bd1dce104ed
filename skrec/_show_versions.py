"""Print the version information that a bug report needs."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from skrec._version import __version__

_DISTRIBUTIONS = {
    "sklearn": ("scikit-learn",),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-macos", "tf-nightly"),
    "keras": ("keras", "keras-nightly"),
    **{
        name: (name,)
        for name in ("numpy", "scipy", "pandas", "polars", "matplotlib", "optuna", "joblib", "threadpoolctl")
    },
}
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "LOKY_MAX_CPU_COUNT")


def show_versions() -> None:
    """Print the versions of skrec, Python and the libraries that skrec uses, and the available processors.

    No library is imported: the versions are read from the metadata of the installed packages. GPUs are listed only if
    TensorFlow has already been imported. Include the output in every bug report.

    Examples
    --------
    >>> import skrec
    >>> skrec.show_versions()
    System:
        python: 3...
    <BLANKLINE>
    Packages:
         skrec: ...
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = {
        "python": sys.version.replace("\n", " "),
        "executable": sys.executable,
        "machine": platform.platform(),
        "CPUs": f"{os.cpu_count()}, of which this process may use {usable}",
        "GPUs": _gpus(),
        **{name: os.environ[name] for name in _THREADS if name in os.environ},
    }
    packages = {"skrec": __version__, **{name: _version(names) for name, names in _DISTRIBUTIONS.items()}}
    print("System:", *_aligned(system), "", "Packages:", *_aligned(packages), sep="\n")  # noqa: T201


def _gpus() -> str:
    tensorflow: Any = sys.modules.get("tensorflow")
    if not hasattr(tensorflow, "config"):
        return "unknown until TensorFlow is imported: import tensorflow, then call show_versions again"
    devices = tensorflow.config.list_physical_devices("GPU")
    names = [tensorflow.config.experimental.get_device_details(device).get("device_name", "?") for device in devices]
    if names:
        return f"TensorFlow sees {len(names)}: {', '.join(names)}"
    built = tensorflow.test.is_built_with_cuda()
    hint = "CUDA was not found, or CUDA_VISIBLE_DEVICES hides them" if built else "this build only supports CPUs"
    return f"TensorFlow sees none ({hint})"


def _version(distributions: tuple[str, ...]) -> str:
    for name in distributions:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "not installed"


def _aligned(entries: dict[str, str]) -> list[str]:
    width = max(map(len, entries))
    return [f"{name:>{width}}: {value}" for name, value in entries.items()]
