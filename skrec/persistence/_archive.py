"""The archive of a file: its manifest, its arrays, and their digests."""

import hashlib
import json
import math
import os
import zipfile
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skrec._version import __version__
from skrec.exceptions import FileFormatError
from skrec.persistence._classes import DAMAGED
from skrec.persistence._values import Decoder

_FORMAT = "skrec"
_FORMAT_VERSION = 2
_MANIFEST = "manifest.json"
_PART = 2**24  # bytes that are read at a time
_LONGEST_HEADER = 2**17  # of an array, by far


@cache
def version_of(package: str) -> str:
    return __version__ if package == "skrec" else metadata.version(package)


def write(archive: zipfile.ZipFile, root: Any, arrays: list[NDArray[Any]]) -> None:
    digests = {}
    versions = {package: version_of(package) for package in ("skrec", "scikit-learn")}
    for number, array in enumerate(arrays):
        buffer = BytesIO()
        np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
        name = f"arrays/{number}.npy"
        archive.writestr(zipfile.ZipInfo(name), buffer.getbuffer())
        digests[name] = hashlib.sha256(buffer.getbuffer()).hexdigest()
    content = {"format": _FORMAT, "format_version": _FORMAT_VERSION, "versions": versions, "arrays": digests}
    manifest = json.dumps({**content, "estimator": root}, allow_nan=False).encode()
    archive.writestr(zipfile.ZipInfo(_MANIFEST), manifest)
    archive.comment = hashlib.sha256(manifest).hexdigest().encode()


def read(file: IO[bytes], trusted: Mapping[str, Any]) -> tuple[Any, dict[str, str]]:
    """Return the estimator, and the packages with a different minor version."""
    size = os.fstat(file.fileno()).st_size
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if _MANIFEST not in archive.namelist():
            raise FileFormatError(f"It has no {_MANIFEST}: it is not a file that skrec.save wrote.")
        # Nothing is compressed, so that no member can be larger than the file.
        if any(m.compress_type != zipfile.ZIP_STORED for m in members) or sum(m.file_size for m in members) > size:
            raise FileFormatError(DAMAGED)
        content = archive.read(_MANIFEST)
        manifest = json.loads(content)
        if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
            raise FileFormatError(f"Its {_MANIFEST} is not one that skrec.save wrote.")
        if manifest["format_version"] > _FORMAT_VERSION:
            raise FileFormatError(
                f"It has format {manifest['format_version']}, and skrec {__version__} knows {_FORMAT_VERSION}. It was "
                f"written by skrec {manifest['versions']['skrec']}. Install that or a newer one."
            )
        digests = manifest["arrays"]
        file.seek(-len(archive.comment), os.SEEK_END)
        if file.read() != archive.comment:  # something was appended
            raise FileFormatError(DAMAGED)
        if archive.comment != _digest(content) or sorted(archive.namelist()) != sorted([_MANIFEST, *digests]):
            raise FileFormatError(DAMAGED)
        decoder = Decoder([_read_array(_member(archive, name), digest) for name, digest in digests.items()], trusted)
    estimator = decoder.decode(manifest["estimator"])
    versions = {name: manifest["versions"][name] for name in ("skrec", *["scikit-learn"] * decoder.has_sklearn)}
    return estimator, {name: v for name, v in versions.items() if v.split(".")[:2] != version_of(name).split(".")[:2]}


def _member(archive: zipfile.ZipFile, name: str) -> bytearray:
    """Read a member into memory that arrays can use and write to, so that it is not held twice."""
    data = bytearray(archive.getinfo(name).file_size)
    view, at = memoryview(data), 0
    with archive.open(name) as member:
        while part := member.read(_PART):
            view[at : at + len(part)] = part
            at += len(part)
    return data


def _digest(data: bytes | bytearray) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def _read_array(data: bytearray, digest: str) -> NDArray[Any]:
    if _digest(data).decode() != digest:
        raise FileFormatError(DAMAGED)
    buffer = BytesIO(memoryview(data)[:_LONGEST_HEADER])
    np.lib.format.read_magic(buffer)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(buffer)
    # Checked before memory is allocated, because a header may declare any shape.
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) - buffer.tell():
        raise FileFormatError(DAMAGED)
    return np.ndarray(shape, dtype, data, buffer.tell(), order="F" if is_fortran else "C")
