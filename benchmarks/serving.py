"""How fast the service answers, and whether it loses anything: requests per second, kills and swaps under load.

The service runs in a process of its own on loopback, with one worker. Clients are threads of one further process per
eight of them, each with a connection that is kept open; they share the machine with the service. Example:

    python benchmarks/serving.py --data ../shared/data/ml-1m/ratings.csv.gz --kills 100 --swaps 10
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

CLIENTS = (1, 8, 32)


def events_of(path: Path | None) -> pd.DataFrame:
    """Read MovieLens-1M, or make events of the same size."""
    import pandas as pd

    names = ["user_id", "item_id", "timestamp"]
    if path is not None:
        table = pd.read_csv(path)
        return table.iloc[:, [0, 1, -1]].set_axis(names, axis=1)
    from skrec.datasets import make_interactions

    made = make_interactions(6_040, 3_700, 1_000_000, random_state=0)
    return made[names]


def models(events: pd.DataFrame, folder: Path, names: list[str]) -> dict[str, Path]:
    """Fit the models, if their files are not there, and return the files."""
    import skrec
    from skrec.models import NCFRanker, SASRecRanker

    made = {
        "MF": lambda: NCFRanker(architecture="mf", epochs=2, random_state=0),
        "SASRec": lambda: SASRecRanker(epochs=1, random_state=0),
    }
    files = {}
    for name in names:
        files[name] = folder / f"{name}.skrec"
        if not files[name].exists():
            skrec.save(made[name]().fit(events), files[name])
    return files


class Service:
    """A process that serves a file."""

    def __init__(self, model: Path, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.command = [sys.executable, "-m", "skrec.serving", str(model), "--port", str(self.port), "--watch", "0.2"]
        self.command += ["--events", f"sqlite:///{folder / 'events.db'}"]
        self.log = folder / "service.log"
        self.start()

    def start(self) -> None:
        """Start the process, and wait until it is ready."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log)
        for _ in range(1_200):
            try:
                if self.ask("GET", "/ready")[0] == 200:
                    return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise SystemExit(f"The service did not start; see {self.log}.")

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            return asked(connection, method, path, body)
        finally:
            connection.close()

    def stop(self) -> None:
        """Let the process end."""
        self.process.terminate()
        self.process.wait()


def asked(connection: http.client.HTTPConnection, method: str, path: str, body: object = None) -> tuple[int, bytes]:
    """Send a request and read its answer."""
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def _client(port: int, users: list[int], path: str, end: float, *, seed: int, found: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    draw = random.Random(seed)
    number = 0
    while time.time() < end:
        user = draw.choice(users)
        number += 1
        event = {"user_id": user, "item_id": 1, "timestamp": 2_000_000_000 + number}
        body = {"events": [event]} if path == "/events" else {"users": [user], "k": 10}
        start = time.perf_counter()
        status, _ = asked(connection, "POST", path, body)
        found.append(time.perf_counter() - start if status == 200 else float("nan"))
    connection.close()


def _clients(
    port: int, users: list[int], path: str, seconds: float, *, seeds: list[int], ready: Any, results: Any
) -> None:
    found: list[list[float]] = [[] for _ in seeds]
    ready.wait()  # all processes have been started
    end = time.time() + seconds
    threads = [
        threading.Thread(target=_client, args=(port, users, path, end), kwargs={"seed": seed, "found": times})
        for seed, times in zip(seeds, found, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put([each for times in found for each in times])


def load(service: Service, users: list[int], path: str, n_clients: int, seconds: float) -> np.ndarray:
    """Return the seconds that requests took, NaN for those that failed."""
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    parts = [list(range(first, min(first + 8, n_clients))) for first in range(0, n_clients, 8)]
    ready = context.Barrier(len(parts))
    processes = [
        context.Process(
            target=_clients,
            args=(service.port, users, path, seconds),
            kwargs={"seeds": part, "ready": ready, "results": results},
        )
        for part in parts
    ]
    for process in processes:
        process.start()
    found = [each for _ in parts for each in results.get()]
    for process in processes:
        process.join()
    return np.asarray(found)


def measure(name: str, file: Path, users: list[int], seconds: float) -> None:
    """Print requests per second and quantiles at several numbers of clients."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(file, Path(folder))
        try:
            for path in ("/recommend", "/events"):
                load(service, users, path, 1, 1.0)
                for n_clients in CLIENTS:
                    start = time.perf_counter()
                    took = load(service, users, path, n_clients, seconds)
                    busy = float(np.nansum(took)) / n_clients
                    milliseconds = [1e3 * float(np.nanquantile(took, q)) for q in (0.5, 0.99)]
                    print(
                        f"{name:7} {path:11} {n_clients:3} clients  {len(took) / busy:7.0f} requests/s  "
                        f"median {milliseconds[0]:6.1f} ms  p99 {milliseconds[1]:6.1f} ms  "
                        f"failed {int(np.isnan(took).sum())}  ({time.perf_counter() - start:.0f} s)",
                        flush=True,
                    )
        finally:
            service.stop()


def kill(file: Path, rounds: int) -> None:
    """Kill the service under load again and again; print how many acknowledged events are lost."""
    with tempfile.TemporaryDirectory() as folder:
        service = Service(file, Path(folder))
        acknowledged: set[int] = set()
        for round_ in range(rounds):
            threads = [
                threading.Thread(
                    target=_send, args=(service.port, 10**9 + round_ * 10**6 + client * 10**5, acknowledged)
                )
                for client in range(8)
            ]
            for thread in threads:
                thread.start()
            time.sleep(random.Random(round_).uniform(0.05, 0.5))
            os.kill(service.process.pid, 9)
            service.process.wait()
            for thread in threads:
                thread.join()
            service.start()
        users = sorted(acknowledged)
        lost = 0
        for first in range(0, len(users), 500):
            body = {"users": users[first : first + 500], "k": 1, "candidates": [1]}
            answer = json.loads(service.ask("POST", "/recommend", body)[1])
            lost += sum(bool(each["items"]) for each in answer["results"])
        print(f"{rounds} kills: {len(acknowledged)} events acknowledged, {lost} lost", flush=True)
        service.stop()


def _send(port: int, user: int, acknowledged: set[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        while True:
            user += 1
            event = {"user_id": user, "item_id": 1, "timestamp": 2_000_000_000}
            if asked(connection, "POST", "/events", {"events": [event]})[0] == 200:
                acknowledged.add(user)
    except (OSError, http.client.HTTPException):
        connection.close()


def swap(file: Path, users: list[int], swaps: int) -> None:
    """Replace the file under load; print how many requests fail."""
    with tempfile.TemporaryDirectory() as folder:
        served = Path(folder) / "model.skrec"
        content = file.read_bytes()
        served.write_bytes(content)
        service = Service(served, Path(folder))
        failed: list[float] = []
        busy = threading.Thread(
            target=lambda: failed.extend(load(service, users, "/recommend", 8, 2.0 * swaps + 2.0)), daemon=True
        )
        busy.start()
        n_swapped, loaded = 0, _loaded(service)
        for _ in range(swaps):
            new = served.with_suffix(".new")
            new.write_bytes(content)
            new.replace(served)
            time.sleep(2.0)
            n_swapped, loaded = n_swapped + (_loaded(service) > loaded), _loaded(service)
        busy.join()
        took = np.asarray(failed)
        print(
            f"{n_swapped} of {swaps} swaps: {len(took)} requests, {int(np.isnan(took).sum())} failed, "
            f"p99 {1e3 * float(np.nanquantile(took, 0.99)):.1f} ms, longest {1e3 * float(np.nanmax(took)):.0f} ms",
            flush=True,
        )
        service.stop()


def _loaded(service: Service) -> float:
    return float(json.loads(service.ask("GET", "/ready")[1])["models"]["main"]["loaded"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data",
        type=Path,
        help="CSV file: user and item in the first two columns, time in the last one; otherwise events are generated",
    )
    parser.add_argument("--models", nargs="+", default=["MF", "SASRec"], choices=["MF", "SASRec"])
    parser.add_argument("--seconds", type=float, default=5.0, help="duration of each measurement")
    parser.add_argument("--kills", type=int, default=0, help="times that the service is killed under load")
    parser.add_argument("--swaps", type=int, default=0, help="times that the file is replaced under load")
    parser.add_argument("--folder", type=Path, help="keeps the fitted models for the next run")
    given = parser.parse_args()
    events = events_of(given.data)
    users = events["user_id"].unique().tolist()
    with tempfile.TemporaryDirectory() as temporary:
        files = models(events, given.folder or Path(temporary), given.models)
        for name, file in files.items():
            if given.seconds > 0:
                measure(name, file, users, given.seconds)
        first = next(iter(files.values()))
        if given.swaps:
            swap(first, users, given.swaps)
        if given.kills:
            kill(first, given.kills)


if __name__ == "__main__":
    main()
