"""The OpenAPI 3.1 description, made from the table: every method, parameter, body, answer and error."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from assent import __version__
from assent.terms.errors import (
    AssentError,
    Busy,
    Forbidden,
    InvalidInput,
    StoreUnavailable,
    Unauthenticated,
)
from assent.terms.limits import limit
from assent.web import shapes
from assent.web.keys import PUBLIC
from assent.web.problems import PROBLEM_MEDIA_TYPE, Problem
from assent.web.table import OPERATIONS, Operation

Json = dict[str, Any]

#: Errors that any route can answer with.
_ANYWHERE: tuple[type[AssentError], ...] = (InvalidInput, Busy, StoreUnavailable, AssentError)
_KEYED: tuple[type[AssentError], ...] = (Unauthenticated, Forbidden)

_TAGS = {
    "events": "Events in, from Segment's and RudderStack's clients.",
    "decisions": "What to show, and why.",
    "items": "The catalogue.",
    "consent": "What people agreed to.",
    "people": "People's rights.",
    "server": "The server itself.",
}

_ERROR_HEADERS: Mapping[int, Json] = {
    401: {"WWW-Authenticate": {"description": "How to authenticate.", "schema": {"type": "string"}}},
    503: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}},
}

_NAME_BY_COLLECTION = {
    "people": {
        "description": "Any identifier of the person: bare, or with its kind, percent-encoded.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": limit("identifier_chars_max"),
            "pattern": shapes.VISIBLE,
            "examples": ["user_id:17"],
        },
    },
    "items": {
        "description": "The item's id, percent-encoded.",
        "schema": {"type": "string", "minLength": 1, "maxLength": limit("item_id_chars_max"), "examples": ["22423"]},
    },
    "projects": {
        "description": "A browser write key.",
        "schema": {"type": "string", "minLength": 1, "examples": ["browser_0123"]},
    },
}

_TEXT_OR_NULL = {"type": ["string", "null"]}
_OBJECT_OR_NULL = {"type": ["object", "null"]}
_FRAME = {"context": _OBJECT_OR_NULL, "sentAt": _TEXT_OR_NULL, "writeKey": _TEXT_OR_NULL}


def describe(purposes: Sequence[Mapping[str, Any]]) -> Json:
    """Return the whole document; `purposes` are the engine's rows, so that it names what can be chosen and read."""
    answers = {each.answer for each in OPERATIONS if _is_shape(each.answer)}
    bodies = {each.body for each in OPERATIONS if _is_shape(each.body)}
    own = {Problem, shapes.Item, shapes.Choices}
    _, components = msgspec.json.schema_components(
        sorted(answers | bodies | own, key=lambda shape: shape.__name__), ref_template="#/components/schemas/{name}"
    )
    components["Choices"] = _choices(components["Choices"], purposes)
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "assent",
            "version": __version__,
            "summary": "Personalization by consent.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "secretKey": {"type": "http", "scheme": "bearer", "description": "A key whose role allows the act."},
                "writeKey": {"type": "http", "scheme": "basic", "description": "A write key as user name."},
            },
        },
    }


def _is_shape(shape: object) -> bool:
    return isinstance(shape, type) and shape not in {dict, str}


def _operation(operation: Operation) -> Json:
    """Describe one method of one route."""
    told: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [*_path_parameters(operation.path), *_query_parameters(operation.query)],
        "responses": {str(operation.status): _answer(operation), **_errors(operation)},
        "security": [],
    }
    if operation.act != PUBLIC:
        told["security"] = [{"secretKey": []}, *([{"writeKey": []}] if operation.write_key else [])]
        told["x-act"] = operation.act
    if operation.body is not None:
        told["requestBody"] = _body(operation)
    return told


def _path_parameters(path: str) -> list[Json]:
    found = re.fullmatch(r"/v1/(\w+)/\{(\w+)\}.*", path)
    if found is None:
        return []
    return [{"name": found[2], "in": "path", "required": True, **_NAME_BY_COLLECTION[found[1]]}]


def _query_parameters(query: type[Any] | None) -> list[Json]:
    if query is None:
        return []
    schema = msgspec.json.schema(query)
    properties = schema["$defs"][query.__name__]["properties"]
    return [{"name": name, "in": "query", "required": False, "schema": each} for name, each in properties.items()]


def _answer(operation: Operation) -> Json:
    """Describe what a route answers when all is well."""
    if operation.answer is None:
        return {"description": "Done; nothing to say."}
    if operation.answer is str:
        schema: Json = {"type": "string"}
    elif operation.answer is dict:
        schema = {"type": "object"}
    else:
        schema = _reference(operation.answer)
    return {"description": "As asked.", "content": {operation.media: {"schema": schema}}}


def _errors(operation: Operation) -> Json:
    """Describe every error that a route answers with, by status."""
    kinds = {*_ANYWHERE, *operation.errors, *(_KEYED if operation.act != PUBLIC else ())}
    by_status: dict[int, list[type[AssentError]]] = {}
    for kind in sorted(kinds, key=lambda each: (each.status, each.code)):
        by_status.setdefault(kind.status, []).append(kind)
    content = {PROBLEM_MEDIA_TYPE: {"schema": _reference(Problem)}}
    return {
        str(status): {
            "description": " / ".join(f"{each.title} (`{each.code}`)" for each in found) + ".",
            "content": content,
            **({"headers": _ERROR_HEADERS[status]} if status in _ERROR_HEADERS else {}),
        }
        for status, found in by_status.items()
    }


def _body(operation: Operation) -> Json:
    """Describe what a route reads."""
    match operation.body:
        case "event":
            content = _json({"type": "object", "properties": _FRAME})
        case "batch":
            batch = {"type": "array", "description": f"At most {limit('batch_events_max')} events."}
            content = _json({"type": "object", "required": ["batch"], "properties": {"batch": batch, **_FRAME}})
        case "anything":
            content = {"text/plain": {"schema": {"type": "string"}}}
        case "items":
            item = _reference(shapes.Item)
            most = f"At most {limit('items_per_request_max')} items."
            several = {"type": "array", "items": item, "description": most}
            content = _json({"anyOf": [item, several]})
        case "choices":
            content = _json(_reference(shapes.Choices))
        case shape:
            content = _json(_reference(shape))
    return {"required": operation.body != "anything", "content": content}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _reference(shape: Any) -> Json:
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


def _choices(schema: Json, purposes: Sequence[Mapping[str, Any]]) -> Json:
    """Name the purposes and languages that exist, and say that at least one purpose must be chosen."""
    chosen = {"type": "array", "items": {"enum": [purpose["id"] for purpose in purposes if purpose["optional"]]}}
    some = {**chosen, "minItems": 1}
    languages = set.intersection(*(set(purpose["notices"]) for purpose in purposes))
    words = "In which words the person was asked; those of the shop's own language unless named."
    language = {"enum": [*sorted(languages), None], "description": words}
    properties = {**schema["properties"], "grant": chosen, "withdraw": chosen, "language": language}
    either = [{"required": [name], "properties": {name: some}} for name in ("grant", "withdraw")]
    return {**schema, "properties": properties, "anyOf": either}
