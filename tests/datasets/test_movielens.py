"""fetch_movielens on copies that are there already: tiny ones, and the real ones where they are at hand."""

import gzip
import zipfile

import pandas as pd
import pytest

from skrec.datasets import fetch_movielens
from skrec.exceptions import FileFormatError

FORMS = ["folder", "gzipped folder", "folder above", "zip", "zip without a top folder"]


def _write(tiny, place, form, texts, name):
    match form:
        case "folder" | "gzipped folder":
            return tiny.write_folder(place / "mine", texts, gzipped=form.startswith("gzipped"))
        case "folder above":
            tiny.write_folder(place / name, texts)
            return place
        case _:
            return tiny.write_zip(place / "mine.zip", texts, name if form == "zip" else "")


@pytest.fixture(params=FORMS)
def form(request):
    """Return each form that a copy may have."""
    return request.param


def test_100k(tiny, tmp_path, form, capsys):
    data = fetch_movielens("100k", path=_write(tiny, tmp_path, form, tiny.ml_100k, "ml-100k"), split="ua")

    expected = pd.DataFrame(
        {
            "user_id": [2, 1, 1],
            "item_id": [1, 2, 1],
            "rating": [5, 3, 4],
            "timestamp": [881250949, 891717742, 878887116],
        }
    )
    pd.testing.assert_frame_equal(data.interactions, expected)
    pd.testing.assert_frame_equal(data.train, expected.iloc[[2, 0]].reset_index(drop=True))
    pd.testing.assert_frame_equal(data.test, expected.iloc[[1]].reset_index(drop=True))
    assert data.users.to_dict("list") == {
        "user_id": [1, 2, 3],
        "age": [24, 53, 23],
        "gender": ["M", "F", "M"],
        "occupation": ["technician", "other", "writer"],
        "zip_code": ["85711", "T8H1N", "01234"],
    }
    assert data.items.columns.tolist() == ["item_id", "title", "genres", "release_date", "imdb_url"]
    assert data.items["title"].tolist() == ["Toy: Tale (1995)", 'Ça "va" (1996)']
    assert data.items["genres"].tolist() == ["Animation|Children's|Comedy", "Drama"]
    assert data.items["release_date"][0] == pd.Timestamp(1995, 1, 1)
    assert pd.isna(data.items["release_date"][1])
    assert repr(data) == "MovieLens(3 interactions, 3 users, 2 items; train 2, test 1)"
    assert "without separate permission" in data.licence
    assert data.DESCR.startswith(data.licence)
    assert data.DESCR.endswith("About a tiny set.\n")
    output = capsys.readouterr()
    assert output.out == output.err == ""


def test_1m(tiny, tmp_path, form):
    data = fetch_movielens("1m", path=_write(tiny, tmp_path, form, tiny.ml_1m, "ml-1m"))

    assert data.interactions.to_dict("list") == {
        "user_id": [1, 1, 2],
        "item_id": [20, 10, 20],
        "rating": [5, 3, 4],
        "timestamp": [978300760, 978302109, 978298413],
    }
    assert (data.interactions.dtypes == "int64").all()
    assert data.users.to_dict("list") == {
        "user_id": [1, 2],
        "age": [1, 56],
        "gender": ["F", "M"],
        "occupation": ["K-12 student", "other"],
        "zip_code": ["48067", "02134-1234"],
    }
    assert data.items.to_dict("list") == {
        "item_id": [10, 20],
        "title": ["Toy: Tale (1995)", "Ça va (1996)"],
        "genres": ["Animation|Comedy", "Drama"],
    }
    assert repr(data) == "MovieLens(3 interactions, 2 users, 2 items)"
    assert data.train is data.test is None
    assert "send a copy" in data.licence
    assert data.licence == data.DESCR


def test_1m_with_ranks_in_place_of_times(tiny, tmp_path, form):
    path = _write(tiny, tmp_path, form, tiny.ml_1m_ranked, "ml-1m")
    data = fetch_movielens("1m", path=path)
    assert data.interactions.to_dict("list") == {
        "user_id": [1, 1, 1, 2],
        "item_id": [30, 10, 20, 20],
        "rating": [2, 3, 5, 4],
        "time_rank": [-1, 0, 1, 0],
    }


def test_latest_small(tiny, tmp_path, form):
    data = fetch_movielens("latest-small", path=_write(tiny, tmp_path, form, tiny.ml_latest, "ml-latest-small"))
    assert data.interactions.to_dict("list") == {
        "user_id": [7, 3, 7],
        "item_id": [10, 20, 20],
        "rating": [4.5, 0.5, 3.0],
        "timestamp": [964982703, 964981247, 964982224],
    }
    assert data.users.to_dict("list") == {"user_id": [7, 3]}
    assert data.items["title"].tolist() == ["Ça, va? (1996)", "Plain (1999)"]
    assert data.items["genres"].tolist() == ["Drama|War", "(no genres listed)"]
    assert "Redistribute it, transformed or not, only under these same conditions" in data.licence
    assert "About a latest set." in data.DESCR


def test_return_X_y(tiny, tmp_path):
    path = tiny.write_folder(tmp_path, tiny.ml_100k)
    X, y = fetch_movielens("100k", path=path, return_X_y=True)
    assert X.columns.tolist() == ["user_id", "item_id", "timestamp"]
    assert y.name == "rating"
    assert y.tolist() == [5, 3, 4]


def test_a_home_relative_path(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    tiny.write_folder(tmp_path / "ml-100k", tiny.ml_100k)
    assert len(fetch_movielens(path="~/ml-100k").interactions) == 3


def test_nothing_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere does not exist: pass path= with the folder or zip"):
        fetch_movielens("100k", path=tmp_path / "nowhere")


def test_not_a_zip(tmp_path):
    (tmp_path / "u.data").write_text("1\t1\t1\t1\n")
    with pytest.raises(FileFormatError, match=r"u.data is neither a folder nor a complete zip file"):
        fetch_movielens("100k", path=tmp_path / "u.data")


def test_another_set_is_named(tiny, tmp_path):
    with pytest.raises(FileFormatError, match=r"not contain MovieLens 100K.*u\.data.* fetch_movielens\('1m', path="):
        fetch_movielens("100k", path=tiny.write_folder(tmp_path, tiny.ml_1m))


def test_a_foreign_folder_tells_what_it_has(tmp_path):
    with pytest.raises(FileFormatError, match=r"It contains: nothing\."):
        fetch_movielens("100k", path=tmp_path)
    (tmp_path / "holiday.jpg").touch()
    with pytest.raises(FileFormatError, match=r"neither it nor its ml-1m/ has users\.dat.* It contains: holiday\.jpg"):
        fetch_movielens("1m", path=tmp_path)


def test_a_missing_file_is_named(tiny, tmp_path):
    folder = tiny.write_folder(tmp_path, tiny.ml_100k)
    with pytest.raises(FileFormatError, match=r"has neither u1\.base nor u1\.base\.gz"):
        fetch_movielens("100k", path=folder, split="u1")
    folder = tiny.write_folder(tmp_path / "1m", {name: tiny.ml_1m[name] for name in ("users.dat", "movies.dat")})
    with pytest.raises(FileFormatError, match=r"has neither ratings\.csv"):
        fetch_movielens("1m", path=folder)


@pytest.mark.parametrize(
    ("name", "file", "text"),
    [
        ("100k", "u.data", "1\t1\tgood\t3\n"),
        ("100k", "u.item", "1|Toy (1995)|01-01-1995||\n"),
        ("1m", "ratings.dat", "1,1,3,4\n"),
        ("1m", "users.dat", "1::F::1::99::48067\n"),
        ("1m", "movies.dat", "10::Toy\n"),
        ("latest-small", "ratings.csv", "a,b\n1,2\n"),
        ("latest-small", "movies.csv", ""),
    ],
)
def test_foreign_content_is_refused(tiny, tmp_path, name, file, text):
    texts = {"100k": tiny.ml_100k, "1m": tiny.ml_1m, "latest-small": tiny.ml_latest}[name]
    folder = tiny.write_folder(tmp_path, {**texts, file: text})
    with pytest.raises(FileFormatError, match=r"differs from the published one: download it again\. \("):
        fetch_movielens(name, path=folder)


def test_damaged_members_are_named(tiny, tmp_path):
    folder = tiny.write_folder(tmp_path / "gz", tiny.ml_100k, gzipped=True)
    packed = gzip.compress(tiny.ml_100k["u.data"].encode())
    for damaged in (packed[:-9], b"no gzip", packed[:12] + b"\xff\xff\xff" + packed[15:]):
        (folder / "u.data.gz").write_bytes(damaged)
        with pytest.raises(FileFormatError, match=r"u\.data in .* is damaged .*: delete it and download the data set"):
            fetch_movielens("100k", path=folder)

    file = tiny.write_zip(tmp_path / "ml.zip", tiny.ml_100k, "ml-100k")
    with zipfile.ZipFile(file) as archive:
        start = archive.getinfo("ml-100k/u.data").header_offset + 30 + len("ml-100k/u.data")
    content = bytearray(file.read_bytes())
    content[start + 8] ^= 0xFF
    file.write_bytes(bytes(content))
    with pytest.raises(FileFormatError, match=r"u\.data in .*ml\.zip.* is damaged"):
        fetch_movielens("100k", path=file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "10m"}, "'name' parameter of fetch_movielens must be a str among"),
        ({"split": "u6"}, "'split' parameter"),
        ({"path": 3}, "'path' parameter"),
        ({"n_retries": -1}, "'n_retries' parameter"),
        ({"name": "1m", "split": "ua"}, "split='ua' is an official split of \"100k\" only, not of '1m'"),
        ({"split": "ua", "return_X_y": True}, r"for a split, use \.train and \.test"),
    ],
)
def test_bad_parameters_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        fetch_movielens(**options)


# -------------------------------------------------------------------------------------------------------- the real sets


@pytest.mark.parametrize("above", [True, False])
def test_real_100k(real_data, above):
    data = fetch_movielens("100k", path=real_data if above else real_data / "ml-100k")
    ratings = data.interactions
    assert ratings.shape == (100_000, 4)
    assert ratings["rating"].value_counts().sort_index().tolist() == [6_110, 11_370, 27_145, 34_174, 21_201]
    assert ratings["user_id"].nunique() == len(data.users) == 943
    assert ratings["item_id"].nunique() == len(data.items) == 1_682
    times = pd.to_datetime(ratings["timestamp"], unit="s")  # the README: September 19th, 1997 to April 22nd, 1998
    assert times.min().date() >= pd.Timestamp(1997, 9, 19).date()
    assert times.max().date() <= pd.Timestamp(1998, 4, 23).date()
    assert data.items.loc[0, ["title", "genres"]].tolist() == ["Toy Story (1995)", "Animation|Children's|Comedy"]
    assert data.items["release_date"].isna().sum() == 1
    assert set(data.users["gender"]) == {"F", "M"}
    assert "U of M" in data.DESCR or "University of Minnesota" in data.DESCR


@pytest.mark.parametrize("split", ["u1", "u5", "ua", "ub"])
def test_real_100k_splits(real_data, split):
    data = fetch_movielens("100k", path=real_data, split=split)
    both = pd.concat([data.train, data.test])
    keys = ["user_id", "item_id"]
    pd.testing.assert_frame_equal(
        both.sort_values(keys, ignore_index=True), data.interactions.sort_values(keys, ignore_index=True)
    )
    if split.startswith("u") and split[1] in "ab":
        assert (data.test.groupby("user_id").size() == 10).all()
        assert len(data.test) == 9_430


def test_real_1m(real_data):
    data = fetch_movielens("1m", path=real_data)
    ratings = data.interactions
    assert len(ratings) == 1_000_209
    assert ratings["rating"].value_counts().sort_index().tolist() == [56_174, 107_557, 261_197, 348_971, 226_310]
    assert ratings["user_id"].nunique() == len(data.users) == 6_040
    assert ratings["item_id"].nunique() == 3_706
    assert len(data.items) == 3_883
    assert set(ratings["item_id"]) <= set(data.items["item_id"])
    if "time_rank" in ratings:
        assert (ratings["time_rank"] == -1).sum() == 598
        assert ratings.groupby("user_id")["time_rank"].is_monotonic_increasing.all()
    else:
        assert pd.to_datetime(ratings["timestamp"], unit="s").dt.year.between(2000, 2003).all()
    assert "University of Minnesota" in data.DESCR
