"""What a service refuses, and that it still answers afterwards."""

import json
import socket
import subprocess
import sys

import httpx
import pytest

from skrec.serving import create_app
from skrec.serving.__main__ import main, read_titles


@pytest.fixture
def client(serve, ease):
    client = serve(ease)
    yield client
    assert client.results("/recommend", {"users": [0], "k": 1})[0]["items"][0]["item"] == "a"  # it still answers


def send(client, content, path="/recommend", kind="application/json", **headers):
    return client.request("POST", path, content=content, headers={"content-type": kind, **headers})


def test_ten_megabytes(client):
    answer = send(client, b" " * 10_000_000)
    assert (answer.status_code, answer.json()["detail"][:35]) == (413, "The body has more than 1000000 byte")


def test_a_body_without_a_length_is_bounded_too(client):
    async def parts():
        for _ in range(200):
            yield b" " * 10_000

    assert send(client, parts()).status_code == 413


def test_a_million_ids(serve, ease, client):
    from skrec.serving import Limits

    body = {"users": list(range(1_000_000))}
    assert client.refusal("/recommend", body, 413)
    generous = serve(ease, limits=Limits(body_bytes=10**8))
    assert "at most 1000 items" in generous.refusal("/recommend", body)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "recursion limit"),
        ('{"users": [' * 50_000, "recursion limit"),
        ('{"users": [NaN]}', "users[0]"),
        ('{"users": [Infinity]}', "users[0]"),
        ('{"users": [1e999]}', "users[0]"),
        ('{"users": [1', "not valid JSON"),
        ("", "not valid JSON"),
        ('{"users": ["\\ud800"]}', "not valid JSON"),
        (b'{"users": ["\xff"]}', "not valid JSON"),
        ("users=1", "not valid JSON"),
        ("null", "The body"),
    ],
)
def test_what_is_not_json_or_not_a_number(client, content, message):
    answer = send(client, content)
    assert answer.status_code == 422
    assert message in answer.json()["detail"]


def test_nan_is_refused_where_a_number_may_be(serve, client):
    import numpy as np

    from skrec.models import DeepFMClassifier

    X = np.random.default_rng(0).normal(size=(20, 2))
    model = serve(DeepFMClassifier(epochs=1, categorical_features=None).fit(X, X[:, 0] > 0))
    answer = send(model, '{"rows": [{"column_0": NaN, "column_1": 1}]}', "/predict")
    assert (answer.status_code, "rows[0].column_0" in answer.json()["detail"]) == (422, True)
    assert model.post("/predict", {"rows": [{"column_0": None, "column_1": 1}]}).status_code == 200


def test_only_json_is_read(client):
    answer = send(client, "{}", kind="text/plain")  # what another website can send without asking
    assert answer.status_code == 415
    assert send(client, '{"users": [0]}', kind="application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize("length", ["-1", "x", "9" * 5000])
def test_a_wrong_length(client, length):
    assert send(client, b"{}", **{"content-length": length}).status_code == 413


def test_paths_that_are_not_there(client):
    for path in (
        "/page/../_app.py",
        "/page/%2e%2e/_app.py",
        "/page/..%2f_app.py",
        "/page//etc/passwd",
        "/page/app.js/../../_app.py",
        "/etc/passwd",
        "/docs",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get("/recommend").status_code == 405
    assert 'path="other",status="404"' in client.get("/metrics").text


@pytest.mark.parametrize(
    "given", [None, "Bearer", "Bearer wrong", "Basic right", "right", "Bearer right2", "Bearer \xff"]
)
def test_a_wrong_token(serve, ease, given):
    client = serve(ease, token="right")
    headers = {} if given is None else {"authorization": given.encode("latin-1")}
    for method, path in [("POST", "/recommend"), ("POST", "/events"), ("GET", "/history?user=0"), ("GET", "/metrics")]:
        answer = client.request(method, path, headers=headers, **({"json": {}} if method == "POST" else {}))
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path
    for path in ("/health", "/ready", "/", "/page/app.js"):
        assert client.get(path).status_code == 200
    assert client.post("/recommend", {"users": [0]}, headers={"authorization": "Bearer right"}).status_code == 200


def test_a_foreign_host_name(serve, ease):
    client = serve(ease, hosts=("127.0.0.1", "::1"))
    assert client.get("/health", headers={"host": "evil.example:8000"}).status_code == 421
    assert client.get("/health", headers={"host": "[::1]:8000"}).status_code == 200
    assert client.get("/health").status_code == 200


def test_an_empty_token_is_an_error(ease):
    with pytest.raises(ValueError, match="The token is empty"):
        create_app(ease, token="")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org"])
def test_other_machines_need_a_token(saved, host, capsys, monkeypatch):
    monkeypatch.delenv("SKREC_TOKEN", raising=False)
    with pytest.raises(SystemExit) as stop:
        main([str(saved), "--host", host])
    assert stop.value.code == 2
    assert "needs a token" in capsys.readouterr().err


def test_errors_of_the_command_line(tmp_path, capsys):
    wrong = tmp_path / "model.pkl"
    with pytest.raises(SystemExit):
        main([str(wrong)])
    assert f"there is no file {wrong}" in capsys.readouterr().err
    wrong.write_bytes(b"\x80\x04.")
    with pytest.raises(SystemExit) as stop:
        main([str(wrong)])
    assert stop.value.code == 1
    assert "is not a file that skrec.save or skrec.export wrote" in capsys.readouterr().err
    for option, value in (("--port", "99999"), ("--watch", "-1")):
        with pytest.raises(SystemExit):
            main([str(wrong), option, value])
        assert f"{option} {value}" in capsys.readouterr().err


def test_titles_are_read_from_csv(tmp_path):
    path = tmp_path / "titles.csv"
    path.write_text('item,title\n1,"Alien, the film"\n2,Brazil\n\n', encoding="utf-8")
    assert read_titles(path) == {"1": "Alien, the film", "2": "Brazil"}
    path.write_text("item\n1\n", encoding="utf-8")
    with pytest.raises(ValueError, match="two columns"):
        read_titles(path)


def test_the_command_serves_a_file(start, saved, tmp_path):
    titles = tmp_path / "titles.csv"
    titles.write_text("item,title\na,Alien\n", encoding="utf-8")
    server = start(saved, "--titles", str(titles), "--compare", str(saved))
    with httpx.Client(base_url=server.url, timeout=60) as client:
        found = client.post("/recommend", json={"users": [0], "k": 1, "model": "compare"}).json()["results"][0]
        assert found["items"][0]["title"] == "Alien"
        assert client.post("/recommend", content=b" " * 2_000_000).status_code in {413, 415}
        assert client.get("/health", headers={"host": "evil.example"}).status_code == 421
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(b"GARBAGE\r\n\r\n")
            assert b"400" in raw.recv(1000)
        assert client.get("/health").json() == {"status": "ok"}
    server.stop()
    assert saved.with_name("model.skrec.events.db").exists()
    assert "Traceback" not in server.log.read_text()


def test_the_command_does_not_import_tensorflow_for_a_model_without_a_network(saved):
    code = f"""
import sys, json
from skrec.serving import create_app
create_app({str(saved)!r}).state.service.close()
print(json.dumps([m for m in ("tensorflow", "keras") if m in sys.modules]))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed) == []
