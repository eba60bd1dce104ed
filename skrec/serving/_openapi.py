"""The OpenAPI schema of a service, with the columns and types of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

if TYPE_CHECKING:
    from fastapi import FastAPI

    from skrec.serving._requests import Requests

__all__ = ["schema_of"]

_REFUSALS = {
    "401": "The token is missing or wrong.",
    "413": "The body is too large.",
    "422": "The request is wrong; `detail` says in one sentence how.",
}


def schema_of(app: FastAPI, requests: Requests) -> dict[str, Any]:
    """Return the schema of an application whose model takes the given requests."""
    from fastapi.openapi.utils import get_openapi

    schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
    bodies = requests.by_path
    refs, found = models_json_schema(
        [(body, "validation") for body in bodies.values()], ref_template="#/components/schemas/{model}"
    )
    schema.setdefault("components", {}).setdefault("schemas", {}).update(found.get("$defs", {}))
    for path, body in bodies.items():
        operation = schema["paths"][path]["post"]
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[body, "validation"]}},
        }
        operation["responses"].update({status: {"description": about} for status, about in _REFUSALS.items()})
    return schema
