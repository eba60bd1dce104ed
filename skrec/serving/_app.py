"""The application: paths, and what they answer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skrec.serving._limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI

    from skrec.serving._service import Service

__all__ = ["create_app", "require_extra"]


def require_extra() -> None:
    """Raise an error that names the extra if the packages of a service are missing."""
    try:
        import fastapi
        import sqlalchemy
        import uvicorn
    except ImportError as error:
        raise ImportError(
            f"A service needs the package {error.name}. Install it with: pip install 'skrec-deep[serve]'"
        ) from error
    del fastapi, sqlalchemy, uvicorn


def create_app(
    model: Any,
    *,
    compare: Any = None,
    titles: Mapping[Any, str] | None = None,
    events: str | None = None,
    token: str | None = None,
    limits: Limits | None = None,
    hosts: Collection[str] | None = None,
    watch: float | None = None,
    threads: int = 2,
) -> FastAPI:
    """Make an application that serves a model over HTTP.

    Parameters
    ----------
    model : estimator or path-like
        A fitted model, or a file that :func:`skrec.save` wrote. Only a file can be replaced while the service runs.
    compare : estimator or path-like, default=None
        A second model, which requests choose with ``"model": "compare"``, and which the page shows beside the first.
    titles : mapping, default=None
        Titles of items.
    events : str, default=None
        URL of the database that keeps the events, such as ``"sqlite:///events.db"`` or
        ``"postgresql://user@host/database"``. By default, the events of a file are kept in SQLite beside it, in
        ``<file>.events.db``; those of an estimator only in memory.
    token : str, default=None
        If given, requests need the header ``Authorization: Bearer TOKEN``, except for the page itself, ``/health`` and
        ``/ready``.
    limits : Limits, default=None
        How much one request may ask for.
    hosts : collection of str, default=None
        Names by which the service may be addressed; None is any.
    watch : float, default=None
        If given, seconds between looks at the file of the model; a new one is loaded and served.
    threads : int, default=2
        Number of threads in which the model answers.

    Returns
    -------
    fastapi.FastAPI
        The stored events have been applied to the model.

    Raises
    ------
    ImportError
        If the extra ``skrec-deep[serve]`` is not installed.
    FileFormatError
        If a file was not written by skrec, or is damaged.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrec.models import PopularityRanker
    >>> from skrec.serving import create_app
    >>> events = pd.DataFrame({"user_id": ["ann", "bob", "bob"], "item_id": ["x", "x", "y"]})
    >>> app = create_app(PopularityRanker().fit(events))  # uvicorn.run(app) serves it
    >>> app.openapi()["components"]["schemas"]["Event"]["required"]
    ['user_id', 'item_id']
    >>> app.state.service.close()
    """
    require_extra()
    from skrec.serving._service import Service

    if token is not None and not token:
        raise ValueError("The token is empty.")
    if events is None:
        is_path = isinstance(model, str | os.PathLike)
        events = f"sqlite:///{Path(model).resolve()}.events.db" if is_path else "sqlite://"
    sources = {"main": model} | ({} if compare is None else {"compare": compare})
    named = {str(item): str(title) for item, title in (titles or {}).items()}
    service = Service(sources, events=events, titles=named, limits=limits or Limits(), threads=threads)
    return _application(service, token, hosts, watch)


def _application(service: Service, token: str | None, hosts: Collection[str] | None, watch: float | None) -> FastAPI:
    from fastapi import FastAPI

    from skrec import __version__
    from skrec.serving._endpoints import Endpoints
    from skrec.serving._gate import Gate
    from skrec.serving._openapi import schema_of

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if watch is not None:
            service.watch(watch)
        yield
        service.close()

    app = FastAPI(title="skrec", version=__version__, docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    endpoints = Endpoints(service, may_reload=token is not None)
    endpoints.add_to(app)
    app.add_middleware(
        Gate,
        metrics=service.metrics,
        body_bytes=service.limits.body_bytes,
        token=token,
        open_paths=endpoints.open_paths,
        paths={*endpoints.paths, "/openapi.json"},
        hosts=hosts,
    )
    app.openapi = lambda: schema_of(app, service.models["main"].requests)  # type: ignore[method-assign]
    return app
