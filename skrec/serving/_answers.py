"""From the body of a request to the body of its answer, without HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError
from starlette.responses import JSONResponse

from skrec.serving._requests import sentence
from skrec.serving._served import NotOfferedError
from skrec.serving._store import StoreError
from skrec.serving._writer import BusyError

if TYPE_CHECKING:
    from skrec.serving._service import Model, Service

__all__ = [
    "RefusedError",
    "about",
    "explain",
    "history",
    "name_in",
    "predict",
    "read",
    "recommend",
    "refusal",
    "rows",
    "similar",
]

_log = logging.getLogger("skrec.serving")


class RefusedError(Exception):
    """A request that is refused with a sentence."""


def read(service: Service, path: str, body: bytes) -> tuple[Model, Any]:
    """Return the model that a request asks, and its checked body.

    Raises
    ------
    RefusedError
        If the body is not JSON, or not what the model expects.
    """
    models = service.models
    model = models["main"]
    if len(models) > 1 and b'"compare"' in body:
        try:
            chosen = models[_Choice.model_validate_json(body).model]
        except (ValidationError, KeyError):
            chosen = model  # the message comes from the check below
        model = chosen
    try:
        return model, model.requests.by_path[path].model_validate_json(body)
    except ValidationError as error:
        raise RefusedError(sentence(error, model.served.columns)) from error


class _Choice(BaseModel):
    model: str = "main"


def rows(parts: Sequence[BaseModel]) -> list[dict[str, Any]]:
    """Return rows as dicts with the names of the columns."""
    return [part.model_dump(by_alias=True, exclude_unset=True) for part in parts]


def recommend(model: Model, body: Any) -> dict[str, Any]:
    """Answer ``/recommend``."""
    n_queries, most = len(body.users or body.rows or body.history or ()), model.requests.most_explained
    if body.why and n_queries * body.k > most:
        raise RefusedError(f"why is answered for at most {most} items: ask for fewer users, or a smaller k.")
    results = model.served.recommend(
        body.users,
        rows=None if body.rows is None else rows(body.rows),
        history=body.history,
        k=body.k,
        candidates=body.candidates,
        exclude=body.exclude,
        exclude_seen=body.exclude_seen,
        why=body.why,
    )
    return {"results": results}


def predict(model: Model, body: Any) -> dict[str, Any]:
    """Answer ``/predict``."""
    return model.served.predict(rows(body.rows))


def similar(model: Model, body: Any) -> dict[str, Any]:
    """Answer ``/similar``."""
    return {"results": model.served.similar(body.items, body.k)}


def explain(model: Model, body: Any) -> dict[str, Any]:
    """Answer ``/explain``."""
    return {"results": model.served.explain(body.users, body.items, history=body.history)}


def about(service: Service) -> dict[str, Any]:
    """Answer ``/about``."""
    models = {name: model.served.about() for name, model in service.models.items()}
    columns = service.models["main"].served.columns
    return {"models": models, "user_ids": columns.user_ids, "item_ids": columns.item_ids}


def history(service: Service, query: dict[str, str]) -> dict[str, Any]:
    """Answer ``/history?user=...``."""
    if "user" not in query:
        raise RefusedError("Name the user: /history?user=...")
    name = query.get("model", "main")
    if name not in service.models:
        raise RefusedError(f"There is no model {name!r}. The models are {', '.join(service.models)}.")
    served = service.models[name].served
    user = served.user_from(query["user"])
    return served.history(user)


def name_in(body: bytes, service: Service) -> str:
    """Return the name of the model in the body of ``/reload``."""
    try:
        asked = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise RefusedError("The body is not valid JSON.") from error
    name = asked.get("model", "main") if isinstance(asked, dict) else None
    if not isinstance(name, str) or name not in service.models:
        raise RefusedError(f"There is no such model. The models are {', '.join(service.models)}.")
    return name


def refusal(error: Exception, path: str) -> JSONResponse:
    """Return the answer to a request that failed, and log what is not the fault of the request."""
    if isinstance(error, NotOfferedError):
        return JSONResponse({"detail": str(error)}, 404)
    if isinstance(error, RefusedError | ValueError | TypeError | Warning | OverflowError):
        return JSONResponse({"detail": str(error)}, 422)
    if isinstance(error, BusyError | StoreError):
        return JSONResponse({"detail": str(error)}, 503, {"retry-after": "1"})
    if isinstance(error, OSError) and path == "/reload":
        return JSONResponse({"detail": str(error)}, 422)
    _log.error("%s failed", path, exc_info=error)
    return JSONResponse({"detail": "The service failed to answer; its log says why."}, 500)
