"""Events: taken into account at once, stored before they are acknowledged, replayed at the start."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skrec.models import ItemKNNRanker, PopularityRanker, SASRecRanker
from skrec.preprocessing import IDEncoder
from skrec.serving import Limits
from skrec.serving._store import EventStore, StoreError
from skrec.serving._writer import BusyError, EventWriter


def items(client, user, **body):
    return [one["item"] for one in client.results("/recommend", {"users": [user], **body})[0]["items"]]


def event(user, item, **others):
    return {"events": [{"user_id": user, "item_id": item, **others}]}


def test_an_event_counts_as_seen(serve, log):
    client = serve(PopularityRanker().fit(log[["user_id", "item_id"]]))
    assert "a" in items(client, 0)
    assert client.post("/events", event(0, "a")).json() == {"stored": 1}
    assert "a" not in items(client, 0)
    assert "a" in items(client, 0, exclude_seen=False)
    assert client.get("/history", params={"user": "0"}).json()["items"][0] == {"item": "a"}


def test_events_are_the_history_of_a_new_user(serve, ease):
    client = serve(ease)
    client.post("/events", {"events": [{"user_id": 99, "item_id": item} for item in "abc"]})
    found = client.results("/recommend", {"users": [0, 99, 1], "k": 1})
    assert [each["items"][0]["item"] for each in found] == ["a", "d", "w"]
    assert client.results("/explain", {"users": [99], "items": ["d"]})[0]["past"][0]["item"] in set("abc")


def test_events_of_unknown_items_are_stored(serve, ease):
    client = serve(ease)
    client.post("/events", event(0, "unknown"))
    assert items(client, 0, k=1) == ["a"]


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00", "2026-01-31"])
def test_a_model_of_sequences_appends_to_histories(serve, log, text):
    dated = log.assign(timestamp=pd.Timestamp("2025-01-01") + pd.to_timedelta(log["timestamp"], unit="D"))
    client = serve(SASRecRanker(embedding_dim=8, n_blocks=1, epochs=1, random_state=0).fit(dated))
    before = client.results("/recommend", {"users": [0, 77]})
    assert (
        client.post("/events", {"events": [event(u, "w", timestamp=text)["events"][0] for u in (0, 77)]}).status_code
        == 200
    )
    after = client.results("/recommend", {"users": [0, 77]})
    assert "w" in {each["item"] for each in before[0]["items"]}
    assert "w" not in {each["item"] for user in after for each in user["items"]}
    explained = client.results("/explain", {"users": [0], "items": ["a"]})
    assert (1, "w") in {(each["age"], each["item"]) for each in explained[0]["past"]}
    history = client.get("/history", params={"user": "0"}).json()
    assert ([each["item"] for each in history["items"]], history["ordered"]) == (["w", "d", "c", "b"], True)
    assert "not ISO 8601" in client.refusal("/events", event(0, "w", timestamp="yesterday"))
    assert "timestamp is missing" in client.refusal("/events", event(0, "w"))


def test_a_pipeline_of_sequences_appends_to_histories(serve, log):
    named = log.assign(user_id=log["user_id"].map("user {}".format))
    model = SASRecRanker(embedding_dim=8, n_blocks=1, epochs=1, random_state=0, time=2)
    client = serve(make_pipeline(IDEncoder(time="timestamp"), model).fit(named))
    before = items(client, "user 0")
    assert "timestamp is missing" in client.refusal("/events", event("user 0", "w"))
    assert client.post("/events", event("user 0", "w", timestamp=9)).json() == {"stored": 1}
    assert set(before) - set(items(client, "user 0")) == {"w"}
    scores = [client.results("/recommend", {"users": [user], "exclude_seen": False}) for user in ("user 0", "user 2")]
    assert scores[0] != scores[1]


@pytest.mark.parametrize(
    ("events", "message"),
    [
        ([], "at least 1 item"),
        ([{"user_id": 1}], "events[0].item_id is missing."),
        ([{"user_id": "1", "item_id": "a"}], "events[0].user_id: Input should be a valid integer."),
        ([{"user_id": 1, "item_id": "a", "itm": 1}], "events[0] has the unknown column 'itm'. Did you mean 'item_id'?"),
        ([{"user_id": 1, "item_id": "a"}] * 1001, "at most 1000 items"),
        ([{"user_id": 1, "item_id": "a" * 2000}], "at most 1000 characters"),
    ],
)
def test_wrong_events_are_refused_and_not_stored(serve, ease, events, message):
    client = serve(ease)
    assert message in client.refusal("/events", {"events": events})
    assert client.service.store.count() == 0


def test_events_are_replayed_at_the_start(serve, log, tmp_path):
    url = f"sqlite:///{tmp_path / 'events.db'}"
    model = ItemKNNRanker().fit(log[["user_id", "item_id"]])
    first = serve(model, events=url)
    first.post("/events", event(0, "a"))
    first.post("/events", {"events": [{"user_id": 99, "item_id": item} for item in "wx"]})
    expected = first.results("/recommend", {"users": [0, 99]})
    second = serve(ItemKNNRanker().fit(log[["user_id", "item_id"]]), events=url)
    assert second.results("/recommend", {"users": [0, 99]}) == expected
    assert "skrec_events_replayed_total 3" in second.get("/metrics").text


def test_a_stored_event_that_a_new_model_refuses_is_counted(serve, log, tmp_path):
    url = f"sqlite:///{tmp_path / 'events.db'}"
    store = EventStore(url)
    rows = [{"user_id": 0, "item_id": "w", "timestamp": at} for at in (7, "bad", 8)]
    store.add(rows)
    store.close()
    client = serve(SASRecRanker(embedding_dim=8, n_blocks=1, epochs=1, random_state=0).fit(log), events=url)
    assert client.service.metrics.total("skrec_events_replayed_total") == 2
    assert client.service.metrics.total("skrec_events_refused_total") == 1


def test_sqlite_is_durable(tmp_path):
    store = EventStore(f"sqlite:///{tmp_path / 'events.db'}")
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
    store.close()


def test_urls_of_databases():
    with pytest.raises(ValueError, match=r"'events.db' is not a database URL. For a file use 'sqlite:///events.db'"):
        EventStore("events.db")
    with pytest.raises(ValueError, match="SQLite or PostgreSQL, not in 'mysql'"):
        EventStore("mysql://host/database")
    with pytest.raises(StoreError, match="cannot be stored in sqlite:////no/such/folder/events.db: unable to open"):
        EventStore("sqlite:////no/such/folder/events.db")


def test_chunks_are_read_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr("skrec.serving._store._CHUNK", 2)
    store = EventStore(f"sqlite:///{tmp_path / 'events.db'}")
    store.add([{"user_id": 1, "item_id": number} for number in range(5)])
    chunks = list(store.read())
    assert [last for last, _ in chunks] == [2, 4, 5]
    assert [row["item_id"] for _, rows in chunks for row in rows] == [0, 1, 2, 3, 4]
    assert list(store.read(after=5)) == []
    store.close()


def test_many_requests_are_stored_in_one_commit():
    applied, stored, may_store = [], [], threading.Event()

    def store(rows):
        may_store.wait()
        stored.append(len(rows))

    writer = EventWriter(applied.extend, store, most_pending=100)
    futures = [writer.submit([{"n": number}]) for number in range(20)]
    may_store.set()
    assert [future.result(60) for future in futures] == [1] * 20
    writer.close()
    assert sum(stored) == 20
    assert len(stored) <= 3  # the first alone or with some others, then those that waited for it
    assert [row["n"] for row in applied] == list(range(20))


def test_a_refused_event_does_not_harm_those_beside_it():
    stored, may_apply = [], threading.Event()

    def apply(rows):
        may_apply.wait()
        if any(row["n"] == 3 for row in rows):
            raise ValueError("three is not allowed")

    writer = EventWriter(apply, stored.extend, most_pending=100)
    futures = [writer.submit([{"n": number}]) for number in range(6)]
    may_apply.set()
    with pytest.raises(ValueError, match="three"):
        futures[3].result(60)
    assert all(futures[number].result(60) == 1 for number in (0, 1, 2, 4, 5))
    writer.close()
    assert sorted(row["n"] for row in stored) == [0, 1, 2, 4, 5]


def test_events_that_cannot_be_stored_are_not_acknowledged(serve, ease):
    client = serve(ease)

    def fail(rows):
        raise StoreError("The events were not stored: disk full")

    client.service.writer._store = fail
    assert "disk full" in client.refusal("/events", event(0, "a"), 503)


def test_too_many_waiting_events_are_refused(serve, ease):
    client = serve(ease, limits=Limits(pending_events=2))
    answer = client.post("/events", {"events": [{"user_id": 1, "item_id": "w"}] * 3})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    writer = EventWriter(list, list, most_pending=1)
    writer.close()
    with pytest.raises(BusyError):
        writer.submit([{}])


# -- PostgreSQL -------------------------------------------------------------------------------------------------------


def _postgresql():
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which("initdb") or next((str(folder / "initdb") for folder in folders), None)
    return None if found is None else Path(found).parent


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory):
    """URL of a PostgreSQL server that runs as long as the tests of this module, as another user than root."""
    binaries = _postgresql()
    if binaries is None or not (binaries / "initdb").exists():
        pytest.skip("PostgreSQL is not installed (Debian: apt-get install postgresql)")
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp())  # the short path and its permissions matter
    if user:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program, *arguments):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        subprocess.run([binaries / program, "-D", data, *arguments], check=True, **quiet, **user)

    data = str(folder / "data")
    try:
        run("initdb", "-U", "skrec", "-A", "trust", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={folder}"
        run("pg_ctl", "-w", "-o", options, "start")
        yield f"postgresql://skrec@127.0.0.1:{port}/postgres"
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def test_events_are_kept_in_postgresql(serve, log, postgresql):
    model = PopularityRanker().fit(log[["user_id", "item_id"]])
    first = serve(model, events=postgresql)
    assert (
        first.post("/events", {"events": [{"user_id": 0, "item_id": item} for item in ("a", "w", "\x00é")]}).status_code
        == 200
    )
    assert first.service.store.count() == 3
    expected = first.results("/recommend", {"users": [0]})
    second = serve(PopularityRanker().fit(log[["user_id", "item_id"]]), events=postgresql)
    assert second.results("/recommend", {"users": [0]}) == expected
    assert set(items(second, 0)) == set("xyz")
