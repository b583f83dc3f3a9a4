"""The OpenAPI 3.1 description, made from the operations: every method, parameter, body, answer and error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from assent import __version__
from assent.terms.errors import AssentError, Busy, Forbidden, InvalidInput, StoreUnavailable, Unauthenticated
from assent.web.http.operation import Described, Json, Operation, Tag
from assent.web.http.problems import PROBLEM_MEDIA_TYPE, Problem

if TYPE_CHECKING:
    from assent.engine import Engine

#: Errors that any route can answer with.
_ANYWHERE: tuple[type[AssentError], ...] = (InvalidInput, Busy, StoreUnavailable, AssentError)
_KEYED: tuple[type[AssentError], ...] = (Unauthenticated, Forbidden)

_ERROR_HEADERS: Mapping[int, Json] = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
}


def describe(operations: Mapping[Tag, Sequence[Operation]], engine: Engine) -> Json:
    """Return the whole document; bodies that are described by hand may read purposes and languages from the engine."""
    every = [each for group in operations.values() for each in group]
    bodies = {each.body for each in every if isinstance(each.body, Described)}
    shapes = {Problem, *(shape for body in bodies for shape in body.shapes)}
    shapes |= {shape for each in every for shape in (each.answer, each.body) if _is_shape(shape)}
    _, schemas = msgspec.json.schema_components(
        sorted(shapes, key=lambda shape: shape.__name__), ref_template="#/components/schemas/{name}"
    )
    by_hand = {body: _content(body.schema(engine, schemas), body.media) for body in bodies}
    paths: dict[str, Json] = {}
    for tag, group in operations.items():
        for each in group:
            paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, tag, by_hand)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "assent",
            "version": __version__,
            "summary": "Personalization by consent.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag.name, "description": tag.text} for tag in operations],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "secretKey": {"type": "http", "scheme": "bearer", "description": "A key whose role allows the act."},
                "writeKey": {"type": "http", "scheme": "basic", "description": "A write key as user name."},
            },
        },
    }


def reference(shape: type[Any]) -> Json:
    """Refer to the schema of a shape."""
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _is_shape(shape: object) -> TypeGuard[type[Any]]:
    return isinstance(shape, type) and shape not in {dict, str}


def _operation(operation: Operation, tag: Tag, by_hand: Mapping[Described, Json]) -> Json:
    """Describe one method of one route."""
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [tag.name],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation.query)],
        "responses": {str(operation.status): _answer(operation), **_errors(operation)},
        "security": [],
    }
    if not operation.public:
        described["security"] = [{"secretKey": []}, *([{"writeKey": []}] if operation.write_key else [])]
        described["x-act"] = operation.act
    if isinstance(operation.body, Described):
        described["requestBody"] = {"required": operation.body.required, "content": by_hand[operation.body]}
    elif operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(reference(operation.body))}
    return described


def _path_parameters(operation: Operation) -> list[Json]:
    if operation.parameter is None:
        return []
    schema = msgspec.json.schema(operation.field)
    description = f"{schema.pop('description')} Percent-encoded."
    return [{"name": operation.parameter, "in": "path", "required": True, "description": description, "schema": schema}]


def _query_parameters(query: type[Any] | None) -> list[Json]:
    if query is None:
        return []
    schema = msgspec.json.schema(query)
    properties = schema["$defs"][query.__name__]["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": each} for name, each in properties.items()]


def _answer(operation: Operation) -> Json:
    """Describe the answer of a route that succeeds."""
    if operation.answer is None:
        return {"description": "Done; nothing to say."}
    if operation.answer is str:
        schema: Json = {"type": "string"}
    elif operation.answer is dict:
        schema = {"type": "object"}
    else:
        schema = reference(operation.answer)
    return {"description": "As asked.", "content": _content(schema, operation.media.partition(";")[0])}


def _content(schema: Json, media: str = "application/json") -> Json:
    return {media: {"schema": schema}}


def _errors(operation: Operation) -> Json:
    """Describe every error that a route answers with, by status."""
    kinds = {*_ANYWHERE, *operation.errors, *(() if operation.public else _KEYED)}
    by_status: dict[int, list[type[AssentError]]] = {}
    for kind in sorted(kinds, key=lambda each: (each.status, each.code)):
        by_status.setdefault(kind.status, []).append(kind)
    content = {PROBLEM_MEDIA_TYPE: {"schema": reference(Problem)}}
    return {
        str(status): {
            "description": " / ".join(f"{each.title} (`{each.code}`)" for each in found) + ".",
            "content": content,
            **({"headers": _ERROR_HEADERS[status]} if status in _ERROR_HEADERS else {}),
        }
        for status, found in by_status.items()
    }
