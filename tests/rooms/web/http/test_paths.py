"""Names in paths: any character may stand in them, and none stays behind in a log, an error or a cache."""

import logging
from urllib.parse import quote

import pytest

from assent.web.http.paths import PathNames, name_in_path
from tests.rooms.web.problems import CANARY, check_problem


@pytest.fixture
def server(shop):
    """Return the header of a server key."""
    return shop.key_of("server")


@pytest.mark.parametrize(
    "name", ["slash/ed", "per%cent", "per%2Fcent", "ümlaut ß", "?query#fragment", "..", "-", "a:b"]
)
def test_a_name_may_hold_any_character(client, server, name):
    """A name in a path is percent-decoded once, so that every identifier can be named."""
    path = f"/v1/people/{quote(name, safe='')}/consent".replace("/../", "/%2E%2E/")
    assert client.put(path, json={"grant": ["learn"]}, headers=server).status_code == 200
    question = {"person": f"user_id:{name}"}
    assert client.get(
        f"/v1/people/{quote(question['person'], safe='').replace('..', '%2E%2E')}", headers=server
    ).is_success


@pytest.mark.parametrize("name", ["%ff", "%00", "%20", "x" * 300, "email%3A", "user_id%3A%20"])
@pytest.mark.parametrize("rest", ["", "/consent", "/export"])
def test_a_name_that_cannot_be_one_is_refused(still_client, still, name, rest):
    """Not UTF-8, a zero byte, nothing but space, too long: 400."""
    check_problem(still_client.get(f"/v1/people/{name}{rest}", headers=still.key_of("server")), 400)


@pytest.mark.parametrize("path", ["/v1/people//consent", "/v1//people/ann", "/v1/items//similar", "//health"])
def test_an_empty_name_is_no_name(still_client, still, path):
    """Two slashes are not one: nobody is erased by a still_client that forgot the name."""
    for method in ("GET", "PUT", "DELETE"):
        check_problem(
            still_client.request(method, f"http://testserver.local{path}", headers=still.key_of("server")), 404
        )


def test_names_of_people_do_not_reach_the_log(client, shop, caplog):
    """Whatever is asked about somebody, their name stands in no log line."""
    with caplog.at_level(logging.DEBUG):
        for method, path in (
            ("GET", ""),
            ("GET", "/consent"),
            ("GET", "/export"),
            ("DELETE", ""),
            ("POST", "/nowhere"),
        ):
            client.request(method, f"/v1/people/{CANARY}{path}", headers=shop.key_of("server"))
        client.post("/v1/decide", json={"person": CANARY}, headers=shop.key_of("server"))
        client.post("/v1/track", json={"userId": CANARY, "event": "x"}, headers=shop.key_of("browser"))
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert CANARY not in "".join(ours)


def test_routing_remembers_nobody(client, shop):
    """The framework's cache of routes holds no path with a name in it."""
    client.get(f"/v1/people/{CANARY}", headers=shop.key_of("server"))
    router = client.app.asgi_router
    hits = router.handle_routing.cache_info().hits
    client.get("/v1/people/somebody-else", headers=shop.key_of("server"))
    assert router.handle_routing.cache_info().hits == hits + 1


@pytest.mark.parametrize(
    ("raw", "path", "name"),
    [
        (b"/v1/lists/ann", "/v1/lists/-", "ann"),
        (b"/v1/lists/a%2Fb%20c/x?q=1", "/v1/lists/-/x", "a/b c"),
        (b"/v1/lists/open", "/v1/lists/open", None),
        (b"/v1/lists/op%65n", "/v1/lists/-", "open"),
        (b"/v1/lists/open/ann", "/v1/lists/open/-", "ann"),
        (b"/v1/lists", "/v1/lists", None),
        (b"/v1/lists/", "/v1/lists/", None),
        (b"/v1/listsx/ann", "/v1/listsx/ann", None),
        (b"/v1/lists//ann", "/--", None),
    ],
)
def test_names_are_found_where_the_templates_have_them(raw, path, name):
    """What a template spells out is no name, the longest template wins, and nothing outside of templates is touched."""
    templates = ["/v1/lists/{person}", "/v1/lists/{person}/x", "/v1/lists/open", "/v1/lists/open/{person}", "/health"]
    scope = {"path": "/unread", "raw_path": raw, "state": {}}
    PathNames(templates).lift(scope)
    assert scope["path"] == path
    assert (name_in_path(scope) if scope["state"] else None) == name
