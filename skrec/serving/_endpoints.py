"""The paths of a service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from skrec.serving import _answers
from skrec.serving._service import Model, Service

__all__ = ["Endpoints"]

_PAGE = {"/": "index.html", "/page/app.js": "app.js", "/page/style.css": "style.css", "/page/icon.svg": "icon.svg"}
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Endpoint = Callable[[Request], Awaitable[Response]]


class Endpoints:
    """The paths of a service and what they answer.

    Parameters
    ----------
    service : Service
    may_reload : bool
        Whether ``/reload`` is allowed.
    """

    open_paths = ("/health", "/ready", *_PAGE)

    def __init__(self, service: Service, *, may_reload: bool) -> None:
        self._service, self._may_reload = service, may_reload
        self._endpoints: dict[str, tuple[str, Endpoint, str]] = {
            "/recommend": ("POST", self._answer("/recommend", _answers.recommend), "The best items of users"),
            "/predict": ("POST", self._answer("/predict", _answers.predict), "A value or class for each row"),
            "/similar": (
                "POST",
                self._answer("/similar", _answers.similar),
                "The items that are most similar to items",
            ),
            "/explain": ("POST", self._answer("/explain", _answers.explain), "The past items that raise a score"),
            "/events": ("POST", self._events, "Store what users did, and take it into account from now on"),
            "/health": ("GET", self._health, "Whether the process answers"),
            "/ready": ("GET", self._ready, "Whether models are served, and why a new file was not taken over"),
            "/metrics": ("GET", self._metrics, "Counters and durations in the format of Prometheus"),
            "/about": ("GET", self._about, "The models, their columns and what they offer"),
            "/history": ("GET", self._history, "The items of a user, the latest first"),
            "/reload": ("POST", self._reload, "Load the file of a model again"),
            **{path: ("GET", _page(file), f"The file {file} of the page") for path, file in _PAGE.items()},
        }

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths."""
        return tuple(self._endpoints)

    def add_to(self, app: FastAPI) -> None:
        """Add the paths to an application."""
        for path, (method, endpoint, about) in self._endpoints.items():
            app.add_api_route(
                path, _guarded(path, endpoint), methods=[method], summary=about, name=path, response_model=None
            )

    def _answer(self, path: str, answer: Callable[[Model, Any], dict[str, Any]]) -> Endpoint:
        async def endpoint(request: Request) -> Response:
            model, body = _answers.read(self._service, path, await request.body())
            return JSONResponse(await self._in_pool(answer, model, body))

        return endpoint

    async def _in_pool(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._service.pool, function, *arguments)

    async def _events(self, request: Request) -> Response:
        model, body = _answers.read(self._service, "/events", await request.body())
        model.served.require("recommend")
        stored = await asyncio.wrap_future(self._service.writer.submit(_answers.rows(body.events)))
        self._service.metrics.count("skrec_events_total", stored)
        return JSONResponse({"stored": stored})

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _: Request) -> Response:
        state = self._service.state()
        return JSONResponse(state, 200 if state["ready"] else 503)

    async def _metrics(self, _: Request) -> Response:
        text = self._service.metrics.text(self._service.gauges())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4")

    async def _about(self, _: Request) -> Response:
        return JSONResponse(await self._in_pool(_answers.about, self._service))

    async def _history(self, request: Request) -> Response:
        return JSONResponse(await self._in_pool(_answers.history, self._service, dict(request.query_params)))

    async def _reload(self, request: Request) -> Response:
        if not self._may_reload:
            return JSONResponse({"detail": "Start the service with a token to load a file by request."}, 403)
        name = _answers.name_in(await request.body(), self._service)
        await asyncio.get_running_loop().run_in_executor(None, self._service.reload, name)
        return JSONResponse(self._service.state())


def _guarded(path: str, endpoint: Endpoint) -> Endpoint:
    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:  # noqa: BLE001 - the answer says what it is
            return _answers.refusal(error, path)

    guarded.__annotations__ = {"request": Request}  # FastAPI reads them
    return guarded


def _page(file: str) -> Endpoint:
    source = Path(__file__).with_name("page") / file

    async def page(_: Request) -> Response:
        return Response(source.read_bytes(), headers=_HEADERS, media_type=_TYPES[source.suffix])

    return page
