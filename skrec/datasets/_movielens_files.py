"""Read the files of the MovieLens data sets from a folder or a zip, gzipped or not."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

import pandas as pd

from skrec.exceptions import FileFormatError

Folder = Path | zipfile.Path  # both have joinpath, is_file, iterdir and read_bytes

_RATINGS = ["user_id", "item_id", "rating", "timestamp"]
_USERS = ["user_id", "age", "gender", "occupation", "zip_code"]
_GENRES_100K = [
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western"),
]
# users.dat of 1M has their positions; the names come from its README and from the users of 100K
_OCCUPATIONS_1M = [
    *("other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service"),
    *("doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer"),
    *("retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman"),
    *("unemployed", "writer"),
]


@dataclass(frozen=True)
class Tables:
    """The ratings, users and items of a data set."""

    interactions: pd.DataFrame
    users: pd.DataFrame
    items: pd.DataFrame


@contextmanager
def open_folder(path: Path) -> Iterator[Folder]:
    """Open a folder or a zip as a folder."""
    if path.is_dir():
        yield path
        return
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist: pass path= with the folder or zip of a MovieLens data set.")
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise FileFormatError(f"{path} is neither a folder nor a complete zip file: download it again.") from error
    with archive:
        yield zipfile.Path(archive)


def has_files(folder: Folder, names: tuple[str, ...]) -> bool:
    """Return whether a folder has all these files, gzipped or not."""
    return all((folder / name).is_file() or (folder / f"{name}.gz").is_file() for name in names)


def read_file(folder: Folder, name: str) -> bytes:
    """Return the uncompressed content of a file."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if not plain.is_file() and not packed.is_file():
        raise FileFormatError(f"{folder} has neither {name} nor {name}.gz: download the whole data set again.")
    try:
        return plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise FileFormatError(
            f"{name} in {folder} is damaged ({error}): delete it and download the data set again."
        ) from error


def read_readme(folder: Folder) -> str:
    """Return the publisher's description, or an empty string if the copy does not contain it."""
    for name in ("README", "README.txt", "GROUPLENS-README.txt"):
        if has_files(folder, (name,)):
            return read_file(folder, name).decode("utf-8", errors="replace")
    return ""


def read_100k(folder: Folder) -> Tables:
    """Read u.data, u.user and u.item of MovieLens 100K."""
    users = _table(folder, "u.user", sep="|", names=_USERS, dtype={"zip_code": str})
    items = _table(
        folder,
        "u.item",
        sep="|",
        names=["item_id", "title", "release_date", "video_release_date", "imdb_url", *_GENRES_100K],
        encoding="latin-1",
        quoting=csv.QUOTE_NONE,
    )
    flags = items[_GENRES_100K].to_numpy(dtype=bool)
    items = items[["item_id", "title", "release_date", "imdb_url"]]
    items.insert(2, "genres", ["|".join(compress(_GENRES_100K, row)) for row in flags])
    items["release_date"] = pd.to_datetime(items["release_date"], format="%d-%b-%Y")
    return Tables(_ratings_100k(folder, "u.data"), users, items)


def read_split_100k(folder: Folder, split: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the training and the test rows of an official split of MovieLens 100K."""
    return _ratings_100k(folder, f"{split}.base"), _ratings_100k(folder, f"{split}.test")


def read_1m(folder: Folder) -> Tables:
    """Read ratings.dat, users.dat and movies.dat of MovieLens 1M, or ratings.csv with ranks instead of times."""
    if has_files(folder, ("ratings.dat",)):
        # read "::" as two separators around an empty column, as pandas' fast parser only accepts single characters
        interactions = _table(folder, "ratings.dat", sep=":", usecols=[0, 2, 4, 6], dtype="int64")
        interactions.columns = pd.Index(_RATINGS)
    else:
        interactions = _table(folder, "ratings.csv", header=0, dtype="int64").rename(columns={"movie_id": "item_id"})
        interactions = interactions.sort_values(["user_id", "time_rank"], kind="stable", ignore_index=True)
    users = _dat_table(folder, "users.dat", ["user_id", "gender", "age", "occupation", "zip_code"])
    users = users.astype({"user_id": "int64", "age": "int64", "occupation": "int64"})
    users["occupation"] = [_OCCUPATIONS_1M[code] for code in users["occupation"]]
    items = _dat_table(folder, "movies.dat", ["item_id", "title", "genres"]).astype({"item_id": "int64"})
    return Tables(interactions, users[_USERS], items)


def read_latest(folder: Folder) -> Tables:
    """Read ratings.csv and movies.csv of the releases that GroupLens calls "latest"."""
    names = {"userId": "user_id", "movieId": "item_id"}
    interactions = _table(folder, "ratings.csv", header=0).rename(columns=names)[_RATINGS]
    items = _table(folder, "movies.csv", header=0).rename(columns=names)[["item_id", "title", "genres"]]
    return Tables(interactions, interactions[["user_id"]].drop_duplicates(ignore_index=True), items)


def _ratings_100k(folder: Folder, name: str) -> pd.DataFrame:
    return _table(folder, name, sep="\t", names=_RATINGS, dtype="int64")


def _table(folder: Folder, name: str, **options: Any) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(read_file(folder, name)), **{"header": None, **options})


def _dat_table(folder: Folder, name: str, columns: list[str]) -> pd.DataFrame:
    lines = io.StringIO(read_file(folder, name).decode("latin-1"))
    return pd.DataFrame([line.rstrip("\r\n").split("::") for line in lines], columns=columns)
