"""``python -m skrec.serving MODEL``: serve a model from a file."""

from __future__ import annotations

import argparse
import csv
import ipaddress
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from skrec.serving._app import create_app, require_extra

__all__ = ["main"]

_TOKEN = "SKREC_TOKEN"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a model until the process is asked to end; return the exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not 0 <= given.port < 2**16:
        parser.error(f"--port {given.port} is not a port: it must be between 0 and {2**16 - 1}.")
    if given.watch < 0:
        parser.error(f"--watch {given.watch} is negative: pass seconds, or 0 to watch no file.")
    token = given.token or os.environ.get(_TOKEN)
    if not _is_loopback(given.host) and not token:
        parser.error(f"--host {given.host} is open to other machines and needs a token: pass --token or set {_TOKEN}.")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        require_extra()
        app = create_app(
            given.model,
            compare=given.compare,
            titles=None if given.titles is None else read_titles(given.titles),
            events=given.events,
            token=token,
            hosts=None if token else ("127.0.0.1", "localhost", "::1"),
            watch=given.watch or None,
        )
    except Exception as error:  # noqa: BLE001 - the reason in one line instead of a traceback
        parser.exit(1, f"{type(error).__name__}: {error}\n")
    import uvicorn

    uvicorn.run(
        app,
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=1_000,
        timeout_graceful_shutdown=30,
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m skrec.serving", description="Serve a fitted model over HTTP, with a page to look at it."
    )
    parser.add_argument("model", type=_file, metavar="MODEL", help="file that skrec.export or skrec.save wrote")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    parser.add_argument(
        "--events",
        metavar="URL",
        help="database of events: sqlite:///FILE (default: MODEL.events.db) or postgresql://...",
    )
    parser.add_argument("--token", help=f"token that requests need; the variable {_TOKEN} sets it out of sight")
    parser.add_argument(
        "--titles", type=_file, metavar="CSV", help="items and their titles: two columns, with a header"
    )
    parser.add_argument("--compare", type=_file, metavar="MODEL2", help="a second model, to compare with the first")
    parser.add_argument(
        "--watch",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="how often to look for a new file of the model; 0 is never (default: %(default)s)",
    )
    return parser


def _file(path: str) -> Path:
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return Path(path)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_titles(path: Path) -> dict[str, str]:
    """Read the titles of items from the first two columns of a CSV file with a header."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        header = next(rows, [])
        if len(header) < 2:
            raise ValueError(f"{path} needs two columns, the item and its title, with a header.")
        return {row[0]: row[1] for row in rows if len(row) >= 2}


if __name__ == "__main__":
    sys.exit(main())
