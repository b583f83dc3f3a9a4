"""Who may do what, route by route and role by role, written by hand: nothing here is read from the code.

The statuses are those of a request that is well formed, about an item that is there and a person who is not.
"""

from __future__ import annotations

import pytest

ROLES = ("browser", "server", "officer", "monitor")

#: Method, path, body, and the status for each of the roles, in their order.
CLOSED = [
    ("POST", "/v1/identify", {}, (200, 200, 403, 403)),
    ("POST", "/v1/i", {}, (200, 200, 403, 403)),
    ("POST", "/v1/track", {}, (200, 200, 403, 403)),
    ("POST", "/v1/t", {}, (200, 200, 403, 403)),
    ("POST", "/v1/page", {}, (200, 200, 403, 403)),
    ("POST", "/v1/p", {}, (200, 200, 403, 403)),
    ("POST", "/v1/screen", {}, (200, 200, 403, 403)),
    ("POST", "/v1/s", {}, (200, 200, 403, 403)),
    ("POST", "/v1/group", {}, (200, 200, 403, 403)),
    ("POST", "/v1/g", {}, (200, 200, 403, 403)),
    ("POST", "/v1/alias", {}, (200, 200, 403, 403)),
    ("POST", "/v1/a", {}, (200, 200, 403, 403)),
    ("POST", "/v1/batch", {"batch": []}, (200, 200, 403, 403)),
    ("POST", "/v1/b", {"batch": []}, (200, 200, 403, 403)),
    ("POST", "/v1/decide", {}, (403, 200, 403, 403)),
    ("GET", "/v1/items/item%200%2F0/similar", None, (403, 200, 403, 403)),
    ("PUT", "/v1/items", [], (403, 200, 403, 403)),
    ("GET", "/v1/items", None, (403, 200, 403, 403)),
    ("GET", "/v1/items/item%200%2F0", None, (403, 200, 403, 403)),
    ("HEAD", "/v1/items/item%200%2F0", None, (403, 200, 403, 403)),
    ("DELETE", "/v1/items/nothing", None, (403, 404, 403, 403)),
    ("GET", "/v1/purposes", None, (403, 200, 200, 403)),
    ("GET", "/v1/people/nobody/consent", None, (403, 404, 404, 403)),
    ("PUT", "/v1/people/nobody/consent", {"withdraw": ["learn"]}, (403, 404, 404, 403)),
    ("GET", "/v1/people/nobody", None, (403, 404, 404, 403)),
    ("GET", "/v1/people/nobody/export", None, (403, 404, 404, 403)),
    ("HEAD", "/v1/people/nobody/export", None, (403, 404, 404, 403)),
    ("DELETE", "/v1/people/nobody", None, (403, 404, 404, 403)),
    ("GET", "/metrics", None, (403, 200, 200, 200)),
]

#: What answers anybody: method, path, body, status.
OPEN = [
    ("POST", "/v1/m", {}, 200),
    ("GET", "/v1/projects/nobody/settings", None, 404),
    ("GET", "/.well-known/gpc.json", None, 200),
    ("GET", "/health", None, 200),
    ("GET", "/openapi.json", None, 200),
]

#: A name in a path, as the description of the API writes it.
TEMPLATES = {"item%200%2F0": "{id}", "nothing": "{id}", "nobody": "{id}"}


@pytest.mark.parametrize(("method", "path", "body", "statuses"), CLOSED)
def test_each_role_may_do_what_stands_here_and_nothing_else(still_client, still, method, path, body, statuses):
    """Nobody without a key gets in, and a key opens only what its role allows."""
    result = {}
    for role in ROLES:
        result[role] = still_client.request(method, path, headers=still.key_of(role), json=body).status_code
    assert result == dict(zip(ROLES, statuses, strict=True))
    for headers in ({}, {"Authorization": "Bearer never-given-out"}, {"Authorization": "Bearer "}):
        assert still_client.request(method, path, headers=headers, json=body).status_code == 401


@pytest.mark.parametrize(("method", "path", "body", "status"), OPEN)
def test_what_is_public_answers_anybody(still_client, method, path, body, status):
    """No key is asked for, and none is missed."""
    assert still_client.request(method, path, json=body).status_code == status


def test_every_route_and_every_role_stands_here(still_client, still):
    """A new route or role is refused by this test until somebody has written down who may do what."""
    described = still_client.get("/openapi.json").json()["paths"]
    served = {(method.upper(), path) for path, methods in described.items() for method in methods}
    written = {(method, _template(path)) for method, path, *_ in (*CLOSED, *OPEN) if method != "HEAD"}
    assert written == served
    assert set(still.keys) == set(ROLES)


def _template(path):
    if path.startswith("/v1/projects/"):
        return path.replace("nobody", "{key}")
    return "/".join(TEMPLATES.get(part, part) for part in path.split("/"))
