"""A new file of the model: served without a lost request or event, or refused while the old model still serves."""

import json
import os
import subprocess
import sys
import threading
import time

import httpx
import pytest

import skrec
from skrec.models import DeepFMClassifier, EASERanker, NCFRanker, PopularityRanker

RIGHT = {"authorization": "Bearer right"}


def until(true, seconds=60):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it has not become true"
        time.sleep(0.02)


@pytest.fixture
def popularity(log):
    return PopularityRanker().fit(log[["user_id", "item_id"]])


def kind(client):
    return client.get("/ready").json()["models"]["main"]["class"]


def test_a_request_loads_the_file_again(serve, saved, popularity):
    client = serve(saved, token="right")
    assert client.post("/events", {"events": [{"user_id": 0, "item_id": "a"}]}, headers=RIGHT).status_code == 200
    skrec.save(popularity, saved)
    assert client.post("/reload", {}, headers={"authorization": "Bearer wrong"}).status_code == 401
    assert kind(client) == "EASERanker"
    answer = client.post("/reload", {}, headers=RIGHT)
    assert (answer.status_code, kind(client)) == (200, "PopularityRanker")
    found = client.post("/recommend", {"users": [0]}, headers=RIGHT).json()["results"][0]["items"]
    assert "a" not in {each["item"] for each in found}  # events are applied to the new model too
    assert 'skrec_model_loads_total{model="main",result="ok"} 1' in client.get("/metrics", headers=RIGHT).text


def test_reload_needs_a_token_and_a_file(serve, saved, ease):
    assert "with a token" in serve(saved).refusal("/reload", {}, 403)
    client = serve(ease, token="right")
    answer = client.post("/reload", {}, headers=RIGHT)
    assert (answer.status_code, "was not loaded from a file" in answer.text) == (422, True)
    for body in ({"model": "x"}, {"model": ["main"]}, []):
        assert client.post("/reload", body, headers=RIGHT).status_code == 422


def test_a_changed_file_is_noticed(serve, saved, popularity):
    client = serve(saved)
    client.service.watch(0.02)
    skrec.save(popularity, saved)
    until(lambda: kind(client) == "PopularityRanker")


def damaged(saved, how):
    content = saved.read_bytes()
    if how == "truncated":
        return content[: len(content) // 2]
    if how == "empty":
        return b""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("how", ["truncated", "a flipped bit", "empty"])
def test_a_damaged_file_is_not_served(serve, saved, popularity, caplog, how):
    client = serve(saved, token="right")
    expected = client.post("/recommend", {"users": [0]}, headers=RIGHT).json()
    client.service.watch(0.02)
    saved.write_bytes(damaged(saved, how))
    until(lambda: client.get("/ready").json()["models"]["main"]["error"])
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()["models"]["main"]["class"]) == (200, "EASERanker")
    assert "model.skrec" in answer.json()["models"]["main"]["error"]
    assert "the old model still is" in caplog.text
    assert 'skrec_model_load_failed{model="main"} 1' in client.get("/metrics", headers=RIGHT).text
    assert client.post("/recommend", {"users": [0]}, headers=RIGHT).json() == expected
    assert client.post("/reload", {}, headers=RIGHT).status_code == 422
    skrec.save(popularity, saved)  # a good file heals it
    until(lambda: kind(client) == "PopularityRanker")
    assert client.get("/ready").json()["models"]["main"]["error"] is None


def test_a_removed_file_changes_nothing(serve, saved):
    client = serve(saved, token="right")
    saved.unlink()
    assert client.post("/reload", {}, headers=RIGHT).status_code == 422
    assert kind(client) == "EASERanker"


def test_a_model_that_does_not_recommend_cannot_replace_one_that_does(serve, saved):
    client = serve(saved, token="right")
    X = [[0.1, 2.0], [0.7, 1.0], [0.5, 0.1], [0.2, 0.9]] * 5
    skrec.save(DeepFMClassifier(epochs=1, categorical_features=None).fit(X, [0, 1, 0, 1] * 5), saved)
    assert "does not recommend" in client.post("/reload", {}, headers=RIGHT).json()["detail"]
    assert kind(client) == "EASERanker"


def test_no_event_is_lost_between_the_replay_and_the_swap(serve, saved):
    """Events that arrive while a new model replays the earlier ones are in the new model too."""
    client = serve(saved, token="right")
    replay, has_replayed, may_end = client.service._replay, threading.Event(), threading.Event()

    def slow(served, after):
        last = replay(served, after)
        if after == 0:
            has_replayed.set()
            assert may_end.wait(60)
        return last

    client.service._replay = slow
    reload = threading.Thread(target=client.service.reload)
    reload.start()
    assert has_replayed.wait(60)
    old = client.service.models["main"].served
    client.post("/events", {"events": [{"user_id": 0, "item_id": "a"}]}, headers=RIGHT)
    may_end.set()
    reload.join()
    new = client.service.models["main"].served
    assert new is not old
    assert new.events == {0: ("a",)}


def test_a_swap_under_load_loses_no_request(start, saved, log, ease, popularity):
    server = start(saved, "--watch", "0.05")
    failures, kinds, stop = [], set(), threading.Event()

    def ask():
        with httpx.Client(base_url=server.url, timeout=60) as client:
            while not stop.is_set():
                answer = client.post("/recommend", json={"users": [0], "k": 1})
                if answer.status_code != 200:
                    failures.append(answer.text)
                else:
                    kinds.add(answer.json()["results"][0]["items"][0]["score"])

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for model in (popularity, ease, EASERanker(l2=5.0).fit(log[["user_id", "item_id"]])):
            before = server.ready()["models"]["main"]["loaded"]
            skrec.save(model, saved)
            until(lambda: server.ready()["models"]["main"]["loaded"] > before)  # noqa: B023
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(kinds) >= 3


def test_acknowledged_events_survive_kill_9(start, saved):
    """The process is killed while clients send events; after each start, all that were acknowledged are there."""
    server = start(saved)
    acknowledged = set()
    for round_ in range(3):
        stop = threading.Event()

        def send(client_number):
            with httpx.Client(base_url=server.url, timeout=60) as client:
                for number in range(10**6):
                    user = 1000 + client_number * 10**7 + round_ * 10**6 + number  # noqa: B023
                    try:
                        answer = client.post("/events", json={"events": [{"user_id": user, "item_id": "a"}]})
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        acknowledged.add(user)

        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        before = len(acknowledged)
        for thread in threads:
            thread.start()
        until(lambda: len(acknowledged) > before + 20)  # noqa: B023
        os.kill(server.process.pid, 9)
        server.process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        server.start()
        with httpx.Client(base_url=server.url, timeout=60) as client:
            users = sorted(acknowledged)
            for first in range(0, len(users), 1000):
                body = {"users": users[first : first + 1000], "candidates": ["a", "b"]}
                for found in client.post("/recommend", json=body, timeout=60).json()["results"]:
                    assert [each["item"] for each in found["items"]] == ["b"], found["user"]


@pytest.mark.slow
def test_an_exported_model_is_served_without_tensorflow(log, tmp_path):
    path = tmp_path / "model.bundle"
    model = NCFRanker(architecture="mf", embedding_dim=4, epochs=1, random_state=0).fit(log)
    skrec.export(model, path)
    code = f"""
import json, sys
from skrec.serving import create_app
app = create_app({str(path)!r})
served = app.state.service.models["main"].served
print(json.dumps([served.recommend([0], k=3), [m for m in ("tensorflow", "keras") if m in sys.modules]]))
app.state.service.close()
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    found, heavy = json.loads(printed)
    assert [each["item"] for each in found[0]["items"]] == model.recommend([0], k=3)["item_id"].tolist()
    assert heavy == []
