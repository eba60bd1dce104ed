"""Exports that are folders: a SavedModel or LiteRT files, and what their inputs and outputs mean."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from skrec._export._copies import refuse_exported_again
from skrec._export._input_specification import INPUTS, VOCABULARIES, input_specification, vocabularies
from skrec._recommend import unwrap

__all__ = ["write_folder"]


def write_folder(
    estimator: Any,
    path: str | os.PathLike[str],
    *,
    format: Literal["saved_model", "litert"],  # noqa: A002 - as in export
    int8: bool,
) -> None:
    """Write the network of an estimator and its input specification to a folder."""
    model = _network_model(estimator, format)
    tables, functions = vocabularies(model), model.network_functions()
    from skrec._engine.tensorflow_files import ConversionError, flat_functions, litert_file, write_saved_model

    specs = {
        name: function.tensor_spec
        for name in ("query", "item", "pairs")
        if (function := getattr(functions, name)) is not None
    }
    flat = flat_functions(functions.module, specs)
    inputs = input_specification(model, flat, format=format, dot=bool(functions.dot))
    with _replacing(path) as folder:
        if format == "saved_model":
            write_saved_model(functions.module, flat, folder)
        for name, function in flat.items() if format == "litert" else ():
            try:
                content = litert_file(functions.module, function, int8=int8)
            except ConversionError as error:
                raise TypeError(
                    f"{type(model).__name__} cannot be exported with format='litert': its function {name!r} has "
                    "operations that LiteRT lacks. Use format='saved_model' or format='onnx'."
                ) from error
            (folder / f"{name}.tflite").write_bytes(content)
        for file, table in ((VOCABULARIES, tables), (INPUTS, inputs)):
            (folder / file).write_text(json.dumps(table, allow_nan=False, indent=1), encoding="utf-8")


def _network_model(estimator: Any, format: str) -> Any:  # noqa: A002
    unwrapped = unwrap(estimator)
    model = unwrapped.model
    if unwrapped.transformers:
        raise TypeError(
            f"format={format!r} exports one network, and this Pipeline has transformers before it. Export its last "
            "step, whose inputs are what the transformers return, or use format='onnx'."
        )
    if not hasattr(model, "network_functions"):
        raise TypeError(
            f"{type(model).__name__} has no network that format={format!r} could export: use format='onnx'."
        )
    refuse_exported_again(model)
    return model


@contextmanager
def _replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a new folder that takes the place of a path at the end, unless the block raises."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"The folder {target.parent} does not exist: create it first.")
    is_empty = target.is_dir() and not any(target.iterdir())
    if target.exists() and not is_empty and not (target / INPUTS).is_file():
        raise FileExistsError(f"{target} exists, and is not a folder that skrec.export wrote: choose another path.")
    beside = f".{target.name}.{uuid.uuid4().hex}"
    temporary, replaced = target.with_name(f"{beside}.tmp"), target.with_name(f"{beside}.old")
    try:
        temporary.mkdir()
        yield temporary
        if target.exists():
            target.rename(replaced)
        try:
            temporary.rename(target)
        except OSError:
            if replaced.exists():
                replaced.rename(target)
            raise
    finally:
        for folder in (temporary, replaced):
            shutil.rmtree(folder, ignore_errors=True)
