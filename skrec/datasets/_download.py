"""Download files, resume interrupted downloads, and verify checksums."""

import hashlib
import http.client
import shutil
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from skrec.exceptions import DownloadError

_TIMEOUT = 30.0  # seconds without an answer
_RANGE_NOT_SATISFIABLE = 416
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})  # HTTP errors that may be temporary

_Result = TypeVar("_Result")


def download(url: str, target: Path, checksum: str, *, n_retries: int = 3, delay: float = 1.0) -> None:
    """Download a file. A partial download in ``<target>.part`` is resumed.

    Parameters
    ----------
    url : str
        The http or https address.
    target : Path
        The file to create. It is only created if the download is complete and its checksum is correct.
    checksum : str
        The expected checksum: the name of an algorithm of :mod:`hashlib`, a colon, and the hexadecimal digest.
    n_retries : int, default=3
        Number of retries after a temporary error.
    delay : float, default=1.0
        Seconds between two attempts.

    Raises
    ------
    DownloadError
        If the server cannot be reached or refuses the request, if the connection breaks too often, or if the checksum
        is wrong.
    """
    part = target.with_name(f"{target.name}.part")
    resumed = part.exists()
    _retry(lambda: _transfer(url, part), url, n_retries, delay)
    if resumed and _checksum(part, checksum) != checksum:  # the partial file may be damaged or outdated
        part.unlink()
        _retry(lambda: _transfer(url, part), url, n_retries, delay)
    found = _checksum(part, checksum)
    if found != checksum:
        part.unlink()
        raise DownloadError(
            f"The download of {url} has the checksum {found} instead of {checksum}, so it was deleted. A proxy may "
            "have answered instead of the server, or the publisher has changed the file."
        )
    part.replace(target)


def read_text(url: str, *, n_retries: int = 3, delay: float = 1.0) -> str:
    """Return the content of a small text file on a server; raise the same errors as :func:`download`."""

    def read() -> str:
        with urlopen(_request(url), timeout=_TIMEOUT) as response:
            content: bytes = response.read(1 << 16)
        return content.decode("utf-8", errors="replace")

    return _retry(read, url, n_retries, delay)


def _retry(action: Callable[[], _Result], url: str, n_retries: int, delay: float) -> _Result:
    for attempt in count():
        try:
            return action()
        except (OSError, http.client.HTTPException) as error:
            if attempt == n_retries or (isinstance(error, HTTPError) and error.code not in _MAY_PASS):
                raise DownloadError(f"{url} could not be downloaded: {error}.") from error
        time.sleep(delay)
    raise AssertionError


def _transfer(url: str, part: Path) -> None:
    """Append the missing bytes to the partial file, or start over if the server does not support ranges."""
    start = part.stat().st_size if part.exists() else 0
    try:
        response = urlopen(_request(url, start), timeout=_TIMEOUT)
    except HTTPError as error:
        if start and error.code == _RANGE_NOT_SATISFIABLE:
            return  # no bytes are left to send; the checksum is verified later
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0
        elif not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
            part.unlink()
            got = response.headers.get("Content-Range")
            raise OSError(f"the server sent the range {got!r} instead of the bytes from {start}")
        with part.open("ab" if start else "wb") as file:
            shutil.copyfileobj(response, file)
        length = response.headers.get("Content-Length")
    if length is not None and part.stat().st_size != start + int(length):
        raise OSError(f"the connection ended after {part.stat().st_size} of {start + int(length)} bytes")


def _request(url: str, start: int = 0) -> Request:
    headers = {"User-Agent": "skrec"}
    if start:
        headers["Range"] = f"bytes={start}-"
    return Request(url, headers=headers)


def _checksum(file: Path, like: str) -> str:
    """Return the checksum of a file, computed with the algorithm of another checksum."""
    algorithm = like.partition(":")[0]
    with file.open("rb") as content:
        return f"{algorithm}:{hashlib.file_digest(content, algorithm).hexdigest()}"
