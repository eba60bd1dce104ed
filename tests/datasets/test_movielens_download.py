"""Downloads of fetch_movielens, from a server on this machine."""

import dataclasses
import hashlib
import os
import socket
from pathlib import Path

import pytest

from skrec.datasets import _movielens, fetch_movielens, get_data_home
from skrec.exceptions import DownloadError, FileFormatError


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return the folder that SKREC_DATA names; it does not exist yet."""
    monkeypatch.setenv("SKREC_DATA", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def publish(server, tiny, home, tmp_path, monkeypatch):
    """Return a function that puts a tiny ml-100k.zip on the server, as the publisher would, and returns its bytes."""

    def publish() -> bytes:
        content = tiny.write_zip(tmp_path / "published.zip", tiny.ml_100k, "ml-100k").read_bytes()
        server.files["ml-100k.zip"] = content
        release = dataclasses.replace(
            _movielens._RELEASES["100k"], checksum=f"sha256:{hashlib.sha256(content).hexdigest()}"
        )
        monkeypatch.setitem(_movielens._RELEASES, "100k", release)
        return content

    monkeypatch.setattr(_movielens, "_PUBLISHER", server.url)
    return publish


def _fetch(**options):
    return fetch_movielens("100k", **{"delay": 0, **options})


def test_downloads_once_and_shows_the_terms(server, publish, home, capsys):
    content = publish()

    data = _fetch()
    output = capsys.readouterr()
    assert data.interactions["rating"].tolist() == [5, 3, 4]
    assert output.out == ""
    assert f"Downloading {server.url}/ml-100k.zip to {home / 'ml-100k.zip'}" in output.err
    assert "Do not redistribute it without separate permission." in output.err
    assert "Harper" in output.err
    assert {file.name for file in home.iterdir()} == {"ml-100k.zip"}
    assert (home / "ml-100k.zip").read_bytes() == content

    _fetch()
    assert capsys.readouterr().err == ""
    assert len(server.requests) == 1


def test_data_home_wins_over_the_environment(publish, home, tmp_path):
    publish()
    _fetch(data_home=str(tmp_path / "other"))
    assert (tmp_path / "other" / "ml-100k.zip").exists()
    assert not home.exists()


def test_an_interrupted_download_goes_on_where_it_was(server, publish, home):
    content = publish()
    home.mkdir()
    (home / "ml-100k.zip.part").write_bytes(content[:100])
    _fetch()
    assert server.requests == [("ml-100k.zip", "bytes=100-")]
    assert (home / "ml-100k.zip").read_bytes() == content


def test_a_broken_connection_is_resumed_at_once(server, publish, home):
    content = publish()
    server.break_after = [50, 60]
    _fetch()
    assert [wanted for _, wanted in server.requests] == [None, "bytes=50-", "bytes=110-"]
    assert (home / "ml-100k.zip").read_bytes() == content


def test_a_connection_that_keeps_breaking_leaves_what_came(server, publish, home):
    content = publish()
    server.break_after = [50, 60, 70]
    with pytest.raises(DownloadError, match=rf"connection ended after 110 of {len(content)} bytes.*pass path= with"):
        _fetch(n_retries=1)
    assert [file.name for file in home.iterdir()] == ["ml-100k.zip.part"]
    _fetch()
    assert [wanted for _, wanted in server.requests][2:] == ["bytes=110-", "bytes=180-"]
    assert (home / "ml-100k.zip").read_bytes() == content


def test_a_server_without_ranges_starts_anew(server, publish, home):
    content = publish()
    server.ranges = False
    home.mkdir()
    (home / "ml-100k.zip.part").write_bytes(content[:100])
    _fetch()
    assert server.requests == [("ml-100k.zip", "bytes=100-")]
    assert (home / "ml-100k.zip").read_bytes() == content


@pytest.mark.parametrize("beginning", [b"of another version", b"longer than it" * 10_000])
def test_a_beginning_that_does_not_fit_is_thrown_away(server, publish, home, beginning):
    content = publish()
    home.mkdir()
    (home / "ml-100k.zip.part").write_bytes(beginning)
    _fetch()
    assert [wanted for _, wanted in server.requests] == [f"bytes={len(beginning)}-", None]
    assert (home / "ml-100k.zip").read_bytes() == content


def test_a_complete_part_needs_no_more_bytes(server, publish, home):
    content = publish()
    home.mkdir()
    (home / "ml-100k.zip.part").write_bytes(content)
    _fetch()
    assert len(server.requests) == 1
    assert {file.name for file in home.iterdir()} == {"ml-100k.zip"}


def test_the_wrong_range_is_not_appended(server, publish, home):
    content = publish()
    server.content_range = "bytes 7-9/10"
    home.mkdir()
    (home / "ml-100k.zip.part").write_bytes(content[:100])
    _fetch()
    assert [wanted for _, wanted in server.requests] == ["bytes=100-", None]
    assert (home / "ml-100k.zip").read_bytes() == content


def test_a_wrong_checksum_is_refused_and_not_kept(server, publish, home):
    publish()
    server.files["ml-100k.zip"] = b"a login page"
    with pytest.raises(DownloadError, match=r"sha256:\w+ instead of sha256:\w+, so it was deleted.*SKREC_DATA"):
        _fetch()
    assert list(home.iterdir()) == []


def test_a_missing_file_is_not_asked_for_again(server, publish):
    publish()
    server.files.clear()
    with pytest.raises(DownloadError, match=r"ml-100k.zip could not be downloaded: HTTP Error 404.*pass path="):
        _fetch()
    assert len(server.requests) == 1


def test_an_error_that_may_pass_is_tried_again(server, publish):
    publish()
    server.statuses = [503, 429]
    assert len(_fetch().interactions) == 3
    assert len(server.requests) == 3


def test_a_server_out_of_reach(monkeypatch, home):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_movielens, "_PUBLISHER", f"http://127.0.0.1:{port}")
    with pytest.raises(DownloadError, match=r"get http://127.0.0.1:\d+/ml-1m.zip on another machine and pass path="):
        fetch_movielens("1m", n_retries=1, delay=0)
    assert list(home.iterdir()) == []


def test_download_if_missing_false_asks_no_server(server, publish, home):
    publish()
    with pytest.raises(
        DownloadError, match=r"MovieLens 100K is not in .*home, and download_if_missing is False\. Without a"
    ):
        _fetch(download_if_missing=False)
    with pytest.raises(OSError, match="SKREC_DATA"):
        _fetch(download_if_missing=False)
    assert server.requests == []


@pytest.mark.parametrize("form", ["zip", "folder"])
def test_a_copy_put_into_the_data_home_is_found(server, publish, tiny, home, form):
    publish()
    home.mkdir()
    if form == "zip":
        tiny.write_zip(home / "ml-100k.zip", tiny.ml_100k, "ml-100k")
    else:
        tiny.write_folder(home / "ml-100k", tiny.ml_100k)
    assert len(_fetch(download_if_missing=False).interactions) == 3
    assert server.requests == []


def test_a_damaged_copy_says_what_to_do(publish, home):
    content = publish()
    home.mkdir()
    (home / "ml-100k.zip").write_bytes(content[: len(content) // 2])
    with pytest.raises(FileFormatError, match=r"ml-100k.zip is neither a folder nor a complete zip file: .* again"):
        _fetch()


def test_the_latest_set_is_checked_against_the_published_md5(server, publish, tiny, tmp_path, home):
    publish()
    content = tiny.write_zip(tmp_path / "latest.zip", tiny.ml_latest, "ml-latest-small").read_bytes()
    server.files["ml-latest-small.zip"] = content
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()

    def fetch():
        return fetch_movielens("latest-small", delay=0)

    with pytest.raises(DownloadError, match=r"ml-latest-small.zip.md5 could not be downloaded: HTTP Error 404"):
        fetch()
    server.files["ml-latest-small.zip.md5"] = b"<html>"
    with pytest.raises(DownloadError, match=r"contains '<html>' instead of an MD5 checksum"):
        fetch()
    server.files["ml-latest-small.zip.md5"] = f"MD5 (ml-latest-small.zip) = {'0' * 32}\n".encode()
    with pytest.raises(DownloadError, match=f"checksum md5:{md5} instead of md5:000"):
        fetch()
    assert list(home.iterdir()) == []
    server.files["ml-latest-small.zip.md5"] = f"MD5 (ml-latest-small.zip) = {md5}\n".encode()
    assert len(fetch().interactions) == 3


def test_the_recorded_checksums_are_well_formed():
    for release in _movielens._RELEASES.values():
        if release.checksum:
            algorithm, _, digest = release.checksum.partition(":")
            assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size


def test_get_data_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("SKREC_DATA", raising=False)
    assert get_data_home() == tmp_path / "skrec_data"
    assert get_data_home("~/mine/deep") == tmp_path / "mine" / "deep"
    monkeypatch.setenv("SKREC_DATA", os.fspath(tmp_path / "named"))
    assert get_data_home() == tmp_path / "named"
    assert Path(tmp_path / "named").is_dir()
