"""Downloads that resume where they were interrupted and are checked before they are used."""

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
_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})  # what a server may answer otherwise next time

_Result = TypeVar("_Result")


def download(url: str, target: Path, checksum: str, *, n_retries: int = 3, delay: float = 1.0) -> None:
    """Download a file; what a broken connection left in ``<target>.part`` is not asked for again.

    Parameters
    ----------
    url : str
        The address, http or https.
    target : Path
        The file to make. It appears complete and checked, or not at all.
    checksum : str
        What the file must have: the name of an algorithm of :mod:`hashlib`, a colon, and the digest in hexadecimal.
    n_retries : int, default=3
        How often to try again after an error that may pass.
    delay : float, default=1.0
        Seconds between two attempts.

    Raises
    ------
    DownloadError
        If the server cannot be reached, refuses, breaks off again and again, or sends something else.
    """
    part = target.with_name(f"{target.name}.part")
    resumed = part.exists()
    _retry(lambda: _transfer(url, part), url, n_retries, delay)
    if resumed and _checksum(part, checksum) != checksum:  # the beginning may be of another version, or damaged
        part.unlink()
        _retry(lambda: _transfer(url, part), url, n_retries, delay)
    found = _checksum(part, checksum)
    if found != checksum:
        part.unlink()
        raise DownloadError(
            f"{url} arrived with the checksum {found} instead of {checksum}. It was not kept: a proxy may have "
            "answered in the server's place, or the publisher has changed the file."
        )
    part.replace(target)


def read_text(url: str, *, n_retries: int = 3, delay: float = 1.0) -> str:
    """Return a small text file of a server; errors as :func:`download`."""

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
    """Append to the part what it lacks, or start anew where the server does not send ranges."""
    start = part.stat().st_size if part.exists() else 0
    try:
        response = urlopen(_request(url, start), timeout=_TIMEOUT)
    except HTTPError as error:
        if start and error.code == _RANGE_NOT_SATISFIABLE:
            return  # nothing is left to send; the checksum decides
        raise
    with response:
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            start = 0
        elif not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
            part.unlink()
            raise OSError(f"the server sent {response.headers.get('Content-Range')!r} when asked from byte {start} on")
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
    """Return the checksum of a file, in the algorithm of another checksum."""
    algorithm = like.partition(":")[0]
    with file.open("rb") as content:
        return f"{algorithm}:{hashlib.file_digest(content, algorithm).hexdigest()}"
