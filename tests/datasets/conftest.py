"""Tiny data sets in the publisher's own layout, made up here, and a server of files that can misbehave."""

import gzip
import threading
import zipfile
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

_FLAGS = {"Toy: Tale (1995)": "0|0|0|1|1|1" + "|0" * 13, 'Ça "va" (1996)': "0" + "|0" * 7 + "|1" + "|0" * 10}

ML_100K = {
    "u.data": "2\t1\t5\t881250949\n1\t2\t3\t891717742\n1\t1\t4\t878887116\n",
    "u.user": "1|24|M|technician|85711\n2|53|F|other|T8H1N\n3|23|M|writer|01234\n",
    "u.item": "".join(
        f"{number}|{title}|{date}||http://example.org/{number}|{_FLAGS[title]}\n"
        for number, (title, date) in enumerate(zip(_FLAGS, ("01-Jan-1995", ""), strict=True), start=1)
    ),
    "ua.base": "1\t1\t4\t878887116\n2\t1\t5\t881250949\n",
    "ua.test": "1\t2\t3\t891717742\n",
    "README": "About a tiny set.\n",
}
ML_1M = {
    "ratings.dat": "1::20::5::978300760\n1::10::3::978302109\n2::20::4::978298413\n",
    "users.dat": "1::F::1::10::48067\n2::M::56::0::02134-1234\n",
    "movies.dat": "10::Toy: Tale (1995)::Animation|Comedy\n20::Ça va (1996)::Drama\n",
}
ML_1M_RANKED = {
    **{name: text for name, text in ML_1M.items() if name != "ratings.dat"},
    "ratings.csv": "user_id,movie_id,rating,time_rank\n2,20,4,0\n1,20,5,1\n1,30,2,-1\n1,10,3,0\n",
}
ML_LATEST = {
    "ratings.csv": "userId,movieId,rating,timestamp\n7,10,4.5,964982703\n3,20,0.5,964981247\n7,20,3.0,964982224\n",
    "movies.csv": 'movieId,title,genres\n10,"Ça, va? (1996)",Drama|War\n20,Plain (1999),(no genres listed)\n',
    "README.txt": "About a latest set.\n",
}


def _encode(name: str, text: str) -> bytes:
    return text.encode("utf-8" if name.endswith(".csv") else "latin-1")


def write_folder(folder: Path, texts: dict[str, str], *, gzipped: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        content = _encode(name, text)
        if gzipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


def write_zip(file: Path, texts: dict[str, str], top: str) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(f"{top}/{name}" if top else name, _encode(name, text))
    return file


@pytest.fixture(scope="session")
def tiny():
    """Return the tiny sets and the functions that write them."""
    return SimpleNamespace(
        ml_100k=ML_100K,
        ml_1m=ML_1M,
        ml_1m_ranked=ML_1M_RANKED,
        ml_latest=ML_LATEST,
        write_folder=write_folder,
        write_zip=write_zip,
    )


@dataclass
class FileServer:
    """What the server holds, how it errs, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True  # whether it honours Range
    break_after: list[int] = field(default_factory=list)  # bytes sent of the next answers before the line breaks
    statuses: list[int] = field(default_factory=list)  # of the next answers, before it serves files
    content_range: str | None = None  # a wrong Content-Range to send
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    url: str = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name, wanted = handler.path.lstrip("/"), handler.headers.get("Range")
        self.requests.append((name, wanted))
        if self.statuses:
            handler.send_error(self.statuses.pop(0))
            return
        if name not in self.files:
            handler.send_error(404)
            return
        content = self.files[name]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if start and start >= len(content):
            handler.send_error(416)
            return
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header(
                "Content-Range", self.content_range or f"bytes {start}-{len(content) - 1}/{len(content)}"
            )
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        sent = content[start:]
        handler.wfile.write(sent[: self.break_after.pop(0)] if self.break_after else sent)


@pytest.fixture
def server(monkeypatch):
    """Return a running FileServer at ``server.url``."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    files = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            files.answer(self)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        files.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield files
        http.shutdown()
        thread.join()
