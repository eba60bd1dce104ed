"""Load the MovieLens data sets from their publisher or from a local copy."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack, get_args, overload

import pandas as pd

from skrec._sklearn_compat import Interval, StrOptions, validate_parameter_constraints
from skrec.datasets import _movielens_files as files
from skrec.datasets._base import get_data_home
from skrec.datasets._download import download, read_text
from skrec.exceptions import DownloadError, FileFormatError

_Name = Literal["100k", "1m", "latest-small"]
_Split = Literal["u1", "u2", "u3", "u4", "u5", "ua", "ub"]
_PUBLISHER = "https://files.grouplens.org/datasets/movielens"

_TERMS = """\
{title}: GroupLens Research, University of Minnesota. It may be used for research under these conditions:
* Do not state or imply any endorsement by the University of Minnesota or the GroupLens Research Group.
* Acknowledge the data set in publications that result from its use{copies}:
  F. Maxwell Harper and Joseph A. Konstan (2015). The MovieLens Datasets: History and Context.
  ACM Transactions on Interactive Intelligent Systems 5, 4: 19. https://doi.org/10.1145/2827872
* {redistribution}
* Do not use it for commercial or revenue-bearing purposes without permission of GroupLens.
It comes without any guarantee. The full terms: {publisher}/{readme}
"""


@dataclass(frozen=True)
class _Release:
    """A published data set."""

    title: str
    folder: str
    readme: str
    marks: tuple[str, ...]  # the files that identify a folder with this data set
    read: Callable[[files.Folder], files.Tables]
    checksum: str | None  # None: the publisher replaces the archive at times and publishes its MD5 next to it
    copies: str = ""
    redistribution: str = "Do not redistribute it without separate permission."

    @property
    def terms(self) -> str:
        return _TERMS.format(publisher=_PUBLISHER, **vars(self))


@dataclass(frozen=True, eq=False, repr=False)
class MovieLens:
    """A loaded MovieLens data set, as returned by :func:`fetch_movielens`.

    Attributes
    ----------
    interactions : DataFrame of shape (n_ratings, 4)
        ``user_id``, ``item_id``, ``rating`` and ``timestamp`` (Unix seconds), with the rows in the publisher's order.
        A copy of 1M may have a ``ratings.csv`` with the rank of each rating in its user's history instead of the time
        (from 0; -1 if unknown). The column is then called ``time_rank`` instead of ``timestamp``. A rank is not a time:
        ranks cannot be compared across users. The rows are then sorted by user and rank, unknown ranks first, so that
        the rows of each user are in order of time, as skrec expects if there is no time column.
    users : DataFrame
        ``user_id``, ``age``, ``gender``, ``occupation``, ``zip_code``; only ``user_id`` in ``latest-small``. The age in
        ``1m`` is the lower end of a range (1: under 18; 18; 25; 35; 45; 50; 56: 56 and above).
    items : DataFrame
        All movies, including those without ratings: ``item_id``, ``title`` (with the year) and ``genres`` (a string
        such as ``"Action|Sci-Fi"``); in ``100k`` also ``release_date`` and ``imdb_url``.
    licence : str
        The terms of use.
    DESCR : str
        The terms, followed by the publisher's description if the copy contains it.
    train, test : DataFrame or None
        The two parts of the requested official split, with the columns of `interactions`.

    Examples
    --------
    >>> from skrec.datasets import fetch_movielens
    >>> data = fetch_movielens("100k")  # doctest: +SKIP
    >>> data  # doctest: +SKIP
    MovieLens(100000 interactions, 943 users, 1682 items)
    >>> data.interactions.merge(data.items[["item_id", "genres"]])  # doctest: +SKIP
    """

    interactions: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame
    licence: str
    DESCR: str
    train: pd.DataFrame | None = None
    test: pd.DataFrame | None = None

    def __repr__(self) -> str:
        """Return the sizes in one line."""
        sizes = f"{len(self.interactions)} interactions, {len(self.users)} users, {len(self.items)} items"
        split = "" if self.train is None or self.test is None else f"; train {len(self.train)}, test {len(self.test)}"
        return f"MovieLens({sizes}{split})"


# SHA-256 as recorded by TensorFlow Datasets (tensorflow_datasets/url_checksums/movielens.txt). The MD5 that GroupLens
# publishes are 0e33842e24a9c977be4e0107933c0723 (ml-100k.zip) and c4d9eecfca2ab87c1945afe126590906 (ml-1m.zip).
_RELEASES = {
    "100k": _Release(
        title="MovieLens 100K",
        folder="ml-100k",
        readme="ml-100k-README.txt",
        marks=("u.data", "u.user", "u.item"),
        read=files.read_100k,
        checksum="sha256:50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
    ),
    "1m": _Release(
        title="MovieLens 1M",
        folder="ml-1m",
        readme="ml-1m-README.txt",
        marks=("users.dat", "movies.dat"),
        read=files.read_1m,
        checksum="sha256:a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20",
        copies=", and send a copy of them to GroupLens",
    ),
    "latest-small": _Release(
        title="MovieLens Latest (small)",
        folder="ml-latest-small",
        readme="ml-latest-small-README.html",
        marks=("ratings.csv", "movies.csv"),
        read=files.read_latest,
        checksum=None,
        redistribution="Redistribute it, transformed or not, only under these same conditions.",
    ),
}

_CONSTRAINTS: dict[str, list[Any]] = {
    "name": [StrOptions(set(_RELEASES))],
    "path": [str, os.PathLike, None],
    "data_home": [str, os.PathLike, None],
    "split": [StrOptions(set(get_args(_Split))), None],
    "download_if_missing": ["boolean"],
    "return_X_y": ["boolean"],
    "n_retries": [Interval(Integral, 0, None, closed="left")],
    "delay": [Interval(Real, 0, None, closed="left")],
}


class _Options(TypedDict, total=False):
    path: str | os.PathLike[str] | None
    data_home: str | os.PathLike[str] | None
    split: _Split | None
    download_if_missing: bool
    n_retries: int
    delay: float


@overload
def fetch_movielens(
    name: _Name = ..., *, return_X_y: Literal[False] = ..., **options: Unpack[_Options]
) -> MovieLens: ...
@overload
def fetch_movielens(
    name: _Name = ..., *, return_X_y: Literal[True], **options: Unpack[_Options]
) -> tuple[pd.DataFrame, "pd.Series[Any]"]: ...
def fetch_movielens(
    name: _Name = "100k",
    *,
    path: str | os.PathLike[str] | None = None,
    data_home: str | os.PathLike[str] | None = None,
    split: _Split | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
    n_retries: int = 3,
    delay: float = 1.0,
) -> MovieLens | tuple[pd.DataFrame, "pd.Series[Any]"]:
    """Load a MovieLens data set, and download it from GroupLens if there is no copy yet.

    The following data sets of GroupLens [1]_ are available:

    ================  =======  =======  =========  ===================
    name              users    movies   ratings    scale
    ================  =======  =======  =========  ===================
    ``100k``          943      1,682    100,000    1, 2, 3, 4, 5
    ``1m``            6,040    3,883    1,000,209  1, 2, 3, 4, 5
    ``latest-small``  610      9,742    100,836    0.5, 1, 1.5, ..., 5
    ================  =======  =======  =========  ===================

    ``latest-small`` is a development set that GroupLens replaces from time to time (the figures are from September
    2018). Do not use it for results that must be reproducible.

    Downloads are verified by checksum and resumed if they were interrupted. The terms of use (also in ``.licence``) are
    printed to the standard error stream when a data set is downloaded. An existing copy is loaded without any output.

    Parameters
    ----------
    name : {"100k", "1m", "latest-small"}, default="100k"
        Name of the data set.
    path : str or path-like, default=None
        Path of a local copy: the publisher's zip, the unpacked folder (its files may be gzipped, such as
        ``u.data.gz``), or the folder that contains it. If given, nothing is downloaded.
    data_home : str or path-like, default=None
        The folder of downloads, as in :func:`get_data_home`. If None, the value of the environment variable
        ``SKREC_DATA`` if it is set, else ``~/skrec_data``. A zip or an unpacked folder in it, such as ``ml-100k.zip``
        or ``ml-100k/``, is used without a download.
    split : {"u1", "u2", "u3", "u4", "u5", "ua", "ub"}, default=None
        An official split of ``100k`` to load in addition: five-fold cross-validation (``u1`` to ``u5``), or ten test
        ratings of each user (``ua``, ``ub``).
    download_if_missing : bool, default=True
        If False, raise an error instead of downloading.
    return_X_y : bool, default=False
        If True, return ``(X, y)``: the interactions without the rating, and the rating.

    n_retries : int, default=3
        Number of retries after a broken connection or a temporary error of the server.
    delay : float, default=1.0
        Seconds between two attempts.

    Returns
    -------
    data : MovieLens
        The data set, with the DataFrames ``.interactions`` (user, item, rating, time), ``.users`` and ``.items``, the
        parts ``.train`` and ``.test`` of a `split`, and the texts ``.licence`` and ``.DESCR``: see :class:`MovieLens`.
        It is not a :class:`~sklearn.utils.Bunch`, because ``.items`` of a Bunch is the method of ``dict``.
    (X, y) : tuple of DataFrame and Series
        Returned instead of `data` if ``return_X_y=True``.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.
    FileFormatError
        If a file is damaged, is missing, or belongs to another data set.
    DownloadError
        If the server cannot be reached, if the checksum is wrong, or if there is no copy and ``download_if_missing`` is
        False.

    References
    ----------
    .. [1] F. M. Harper and J. A. Konstan (2015). The MovieLens Datasets: History and Context. ACM Transactions on
       Interactive Intelligent Systems 5, 4: 19. https://doi.org/10.1145/2827872

    Examples
    --------
    >>> from skrec.datasets import fetch_movielens
    >>> data = fetch_movielens("100k")  # doctest: +SKIP
    >>> data.interactions.head(2)  # doctest: +SKIP
       user_id  item_id  rating  timestamp
    0      196      242       3  881250949
    1      186      302       3  891717742
    >>> data.items.title[0], data.items.genres[0]  # doctest: +SKIP
    ('Toy Story (1995)', "Animation|Children's|Comedy")
    >>> X, y = fetch_movielens("100k", path="ml-100k.zip", return_X_y=True)  # doctest: +SKIP
    """
    validate_parameter_constraints(
        _CONSTRAINTS, {name: value for name, value in locals().items() if name in _CONSTRAINTS}, "fetch_movielens"
    )
    if split is not None and name != "100k":
        raise ValueError(f'split={split!r} is an official split of "100k" only, not of {name!r}: leave it out.')
    if split is not None and return_X_y:
        raise ValueError("return_X_y=True returns the whole data set: for a split, use .train and .test instead.")
    release = _RELEASES[name]
    if path is None:
        place = _local_copy(release, get_data_home(data_home), download_if_missing, n_retries, delay)
    else:
        place = Path(path).expanduser()
    with files.open_folder(place) as top:
        data = _load(release, _find(release, top), split)
    if return_X_y:
        return data.interactions.drop(columns="rating"), data.interactions["rating"]
    return data


def _local_copy(release: _Release, home: Path, download_if_missing: bool, n_retries: int, delay: float) -> Path:
    """Return the zip or folder in the data home, after a download if it is missing."""
    folder, archive = home / release.folder, home / f"{release.folder}.zip"
    if folder.is_dir() or archive.exists():
        return folder if folder.is_dir() else archive
    url = f"{_PUBLISHER}/{archive.name}"
    cure = (
        f"Without a download, get {url} on another machine and pass path= with the zip or the unpacked folder, "
        f"or copy it into {home} (set the environment variable SKREC_DATA to use another folder)."
    )
    if not download_if_missing:
        raise DownloadError(f"{release.title} is not in {home}, and download_if_missing is False. {cure}")
    sys.stderr.write(f"Downloading {url} to {archive}\n\n{release.terms}\n")
    try:
        checksum = release.checksum or f"md5:{_published_md5(url, n_retries, delay)}"
        download(url, archive, checksum, n_retries=n_retries, delay=delay)
    except DownloadError as error:
        raise DownloadError(f"{error} {cure}") from error
    return archive


def _published_md5(url: str, n_retries: int, delay: float) -> str:
    """Return the digest that GroupLens publishes next to an archive, as ``MD5 (ml-1m.zip) = c4d9eecf...``."""
    text = read_text(f"{url}.md5", n_retries=n_retries, delay=delay)
    digest = text.split()[-1].lower() if text.split() else ""
    if len(digest) != 32 or set(digest) - set("0123456789abcdef"):
        raise DownloadError(f"{url}.md5 contains {text[:80]!r} instead of an MD5 checksum.")
    return digest


def _find(release: _Release, top: files.Folder) -> files.Folder:
    """Return the folder with the files of the release: the given folder or a folder inside it."""
    for folder in (top, top / release.folder):
        if files.has_files(folder, release.marks):
            return folder
    message = (
        f"{top} does not contain {release.title}: neither it nor its {release.folder}/ has {', '.join(release.marks)}."
    )
    for name, other in _RELEASES.items():
        if any(files.has_files(folder, other.marks) for folder in (top, top / other.folder)):
            raise FileFormatError(f"{message} It contains {other.title}: call fetch_movielens({name!r}, path=...).")
    found = sorted(entry.name for entry in top.iterdir())
    raise FileFormatError(
        f"{message} It contains: {', '.join(found[:12]) or 'nothing'}{', ...' if len(found) > 12 else ''}."
    )


def _load(release: _Release, folder: files.Folder, split: str | None) -> MovieLens:
    parts: dict[str, pd.DataFrame] = {}
    try:
        tables = release.read(folder)
        if split is not None:
            parts["train"], parts["test"] = files.read_split_100k(folder, split)
    except FileFormatError:
        raise
    except (ValueError, LookupError) as error:
        raise FileFormatError(
            f"A file of {release.title} in {folder} differs from the published one: download it again. ({error})"
        ) from error
    readme = files.read_readme(folder)
    return MovieLens(
        interactions=tables.interactions,
        users=tables.users,
        items=tables.items,
        **parts,
        licence=release.terms,
        DESCR=f"{release.terms}\n{readme}" if readme else release.terms,
    )
