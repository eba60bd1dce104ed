"""A client of the application without a server, and small models."""

import asyncio
import signal
import socket
import subprocess
import sys
import time

import httpx
import pandas as pd
import pytest

import skrec
from skrec.models import EASERanker
from skrec.serving import create_app


class Client:
    """Sends requests to an application, each in an event loop of its own."""

    def __init__(self, app):
        self.app, self.service = app, app.state.service

    def request(self, method, path, **options):
        async def send():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, json=body, **options)

    def results(self, path, body):
        answer = self.post(path, body)
        assert answer.status_code == 200, answer.text
        return answer.json()["results"]

    def refusal(self, path, body, status=422):
        answer = self.post(path, body)
        assert answer.status_code == status, answer.text
        return answer.json()["detail"]


@pytest.fixture
def serve():
    """A function that returns a client of an application, which is closed after the test."""
    services = []

    def started(model, **options):
        client = Client(create_app(model, **options))
        services.append(client.service)
        return client

    yield started
    for service in services:
        service.close()


@pytest.fixture(scope="session")
def log():
    """Eight users in two groups: even ones choose a, b, c, d, odd ones w, x, y, z; each lacks one item."""
    rows = []
    for user in range(8):
        items = "abcd" if user % 2 == 0 else "wxyz"
        rows += [(user, item, at) for at, item in enumerate(items) if item != items[user // 2]]
    return pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])


@pytest.fixture
def ease(log):
    return EASERanker(l2=1.0).fit(log[["user_id", "item_id"]])


class Server:
    """A process of ``python -m skrec.serving``."""

    def __init__(self, model, *arguments, log):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{self.port}", log
        self.command = [sys.executable, "-m", "skrec.serving", str(model), "--port", str(self.port), *arguments]
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        for _ in range(600):
            try:
                if httpx.get(f"{self.url}/ready", timeout=60).status_code == 200:
                    return
            except httpx.TransportError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        pytest.fail(f"the server did not start:\n{self.log.read_text()}")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        self.process.wait(30)

    def ready(self):
        return httpx.get(f"{self.url}/ready", timeout=60).json()


@pytest.fixture
def start(tmp_path):
    """A function that starts a server, which is stopped after the test."""
    servers = []

    def started(model, *arguments):
        servers.append(Server(model, *arguments, log=tmp_path / f"server{len(servers)}.log"))
        return servers[-1]

    yield started
    for server in servers:
        if server.process.poll() is None:
            server.stop()


@pytest.fixture
def saved(ease, tmp_path):
    """A file of the model."""
    path = tmp_path / "model.skrec"
    skrec.save(ease, path)
    return path
