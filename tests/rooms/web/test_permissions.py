"""Who may do what, route by route and role by role, written by hand in `permissions/`: nothing is read from the code.

The statuses are those of a request that is well formed, about an item that is there and a person who is not.
"""

from __future__ import annotations

import pytest

from tests.rooms.web.permitted import CLOSED, OPEN, template

ROLES = ("browser", "server", "officer", "monitor")


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
    served = {(method.upper(), template(path)) for path, methods in described.items() for method in methods}
    written = {(method, template(path)) for method, path, *_ in (*CLOSED, *OPEN) if method != "HEAD"}
    assert written == served
    assert set(still.keys) == set(ROLES)
