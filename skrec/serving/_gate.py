"""What every request passes: the size of its body, its host, type and token; and it is counted."""

from __future__ import annotations

import hmac
import time
from collections.abc import Collection
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from skrec.serving._metrics import Metrics

__all__ = ["Gate"]


class Gate:
    """Middleware that refuses requests before they are read.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics
    body_bytes : int
        Most bytes of a body.
    token : str or None
        What requests need as ``Authorization: Bearer TOKEN``.
    open_paths : collection of str
        Paths that need no token.
    paths : collection of str
        The paths that are there; others are counted together.
    hosts : collection of str or None
        Names by which the service may be addressed, so that a foreign website cannot reach it through a name of its
        own. None is any.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        metrics: Metrics,
        body_bytes: int,
        token: str | None,
        open_paths: Collection[str],
        paths: Collection[str],
        hosts: Collection[str] | None,
    ) -> None:
        self._app, self._metrics, self._body_bytes = app, metrics, body_bytes
        self._token = None if token is None else token.encode()
        self._open, self._paths, self._hosts = frozenset(open_paths), frozenset(paths), hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        refusal = self._refusal(scope)
        try:
            if refusal is None:
                refusal = await self._pass(scope, receive, send_noting)
            if refusal is not None:
                await refusal(scope, receive, send_noting)
        finally:
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._metrics.observe(path, status, time.perf_counter() - start)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._hosts is not None and _host(headers.get(b"host", b"")) not in self._hosts:
            return _refused(421, "This service is not known by that host name.")
        if self._token is not None and scope["path"] not in self._open:
            scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
            if scheme.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token):
                return _refused(
                    401, "The request needs the token, as 'Authorization: Bearer TOKEN'.", b"www-authenticate"
                )
        if scope["method"] == "POST":
            kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
            if kind != b"application/json":
                return _refused(415, "Send JSON, with the header 'Content-Type: application/json'.")
            length = headers.get(b"content-length", b"0")
            if not length.isdigit() or int(length[:20]) > self._body_bytes:
                return self._too_large()
        return None

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> JSONResponse | None:
        """Pass a request on; its body has been read, so that one without a length is bounded too."""
        if scope["method"] != "POST":
            await self._app(scope, receive, send)
            return None
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            part = message.get("body", b"")
            size += len(part)
            if size > self._body_bytes:
                return self._too_large()
            parts.append(part)
            more = message.get("more_body", False)
        body, is_read = b"".join(parts), False

        async def receive_again() -> Any:
            nonlocal is_read
            if is_read:
                return await receive()
            is_read = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, receive_again, send)
        return None

    def _too_large(self) -> JSONResponse:
        return _refused(413, f"The body has more than {self._body_bytes} bytes. Send several smaller requests.")


def _refused(status: int, why: str, *challenge: bytes) -> JSONResponse:
    headers = {"connection": "close"} if status == 413 else {name.decode(): "Bearer" for name in challenge}
    return JSONResponse({"detail": why}, status, headers)


def _host(header: bytes) -> str:
    """Return the name in a Host header, without the port."""
    host = header.decode("latin-1").lower()
    if host.startswith("["):
        return host.partition("]")[0].lstrip("[")
    return host.rpartition(":")[0] if host.count(":") == 1 else host
