"""Every route for every role: what the operations allow, and nothing else."""

import base64

import pytest

from assent.engine import ROLES
from assent.terms.limits import limit
from assent.web.http.auth import PUBLIC, key_in
from tests.rooms.web.operations import EVERY
from tests.rooms.web.permitted import CLOSED, OPEN, template

#: A body that is right in form for the routes that read one.
BODIES = {(method, template(path)): body for method, path, body, *_ in (*CLOSED, *OPEN)}


def ask(client, operation, headers):
    """Send one operation a well-formed request."""
    path = template(operation.path).format("nobody")
    body = BODIES[operation.method, template(operation.path)]
    return client.request(operation.method, path, headers=headers, json=body)


@pytest.mark.parametrize("operation", [each for each in EVERY if each.act != PUBLIC], ids=lambda each: each.name)
@pytest.mark.parametrize("role", [*ROLES, "stranger", "anonymous"])
def test_each_role_may_do_what_the_operations_say_and_nothing_else(still_client, still, operation, role):
    """Nobody without a key gets in, and a key opens only what its role allows."""
    headers = {} if role == "anonymous" else {"Authorization": f"Bearer {still.keys.get(role, 'never-given-out')}"}
    status = ask(still_client, operation, headers).status_code
    if role not in ROLES:
        assert status == 401
    elif operation.act not in ROLES[role]:
        assert status == 403
    else:
        assert status in {200, 204, 404}


@pytest.mark.parametrize("operation", [each for each in EVERY if each.act == PUBLIC], ids=lambda each: each.name)
def test_public_routes_ask_for_no_key(still_client, operation):
    """What is public answers anybody."""
    assert ask(still_client, operation, {}).status_code in {200, 404}


def test_the_roles_that_may_do_nothing_do_not_exist():
    """Each role of the engine opens some route, and each act of a route is some role's."""
    acts = {operation.act for operation in EVERY} - {PUBLIC}
    assert acts <= frozenset.union(*ROLES.values())
    assert all(acts & allowed for allowed in ROLES.values())


@pytest.mark.parametrize(
    ("header", "key"),
    [
        (b"Bearer abc", "abc"),
        (b"bearer  abc ", "abc"),
        (b"Basic " + base64.b64encode(b"abc:"), "abc"),
        (b"Basic " + base64.b64encode(b"abc:any password"), "abc"),
        (b"Basic " + base64.b64encode(b"abc"), "abc"),
        (b"Basic " + base64.b64encode(b":abc"), None),
        (b"Basic \xff\xff", None),
        (b"Basic " + base64.b64encode(b"\xff:"), None),
        (b"Bearer \xff", None),
        (b"Bearer ", None),
        (b"Bearer", None),
        (b"", None),
        (b"Digest abc", None),
        (b"Bearer " + b"k" * limit("key_chars_max"), "k" * limit("key_chars_max")),
        (b"Bearer " + b"k" * (limit("key_chars_max") + 1), None),
    ],
)
def test_a_key_is_read_from_both_schemes_and_from_nothing_else(header, key):
    """Bearer and Basic carry a key; whatever else the header holds is no key."""
    assert key_in(header) == key


def test_a_secret_key_also_works_as_basic_user_name(still_client, still):
    """`curl -u KEY:` works on the routes for servers."""
    assert still_client.get("/v1/purposes", auth=(still.keys["server"], "")).status_code == 200


def test_a_refusal_says_how_to_authenticate(still_client):
    """401 carries WWW-Authenticate, as HTTP asks."""
    assert still_client.get("/v1/purposes").headers["www-authenticate"].startswith("Bearer")
