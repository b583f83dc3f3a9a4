"""Operations stand beside their handlers: a new capability is one file, which no other file has to name."""

import logging
import sys

import pytest
from litestar.testing import TestClient

from assent.web import api
from assent.web.app import OPERATIONS, every_operation, make_app
from assent.web.http import policies
from assent.web.http.auth import PUBLIC
from assent.web.http.operation import Tag, operation
from tests.rooms.web.problems import CANARY

VOUCHERS = '''
"""Vouchers."""

import msgspec

from assent.terms.errors import NotFound
from assent.web.http.call import Call
from assent.web.http.operation import Tag, operation

TAG = Tag("vouchers", "What people may spend.")


class Voucher(msgspec.Struct):
    """What one person may spend."""

    items: list[str]
    letters: int


@operation("GET", "/v1/vouchers/{person}/open", act="people", answer=Voucher, errors=(NotFound,))
async def get_voucher(call: Call) -> Voucher:
    """Return what a person may spend.

    This is for readers of the code.
    """
    return Voucher(["kettle"], len(call.name))


ROUTES = (get_voucher,)
'''


@pytest.fixture
def vouchers(tmp_path, monkeypatch):
    """Add a capability that is one file, and return the operations with its own."""
    (tmp_path / "vouchers.py").write_text(VOUCHERS)
    monkeypatch.setattr(api, "__path__", [*api.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, f"{api.__name__}.vouchers", raising=False)
    yield every_operation()
    del sys.modules[f"{api.__name__}.vouchers"], api.vouchers


def test_a_new_capability_is_one_file(still, vouchers, caplog):
    """Its route is served, guarded, described and listed, and the person named in its path reaches no log."""
    with TestClient(make_app(still.engine, operations=vouchers)) as client, caplog.at_level(logging.DEBUG):
        path = f"/v1/vouchers/{CANARY}%2Fx/open"
        found = client.get(path, headers=still.key_of("officer"))
        described = client.get("/openapi.json").json()
        assert (found.status_code, found.json()) == (200, {"items": ["kettle"], "letters": len(CANARY) + 2})
        assert client.get(path).status_code == 401
        assert client.get(path, headers=still.key_of("monitor")).status_code == 403
        assert client.head(path, headers=still.key_of("officer")).status_code == 200
        assert client.options(path).headers["allow"] == "GET, HEAD, OPTIONS"
        assert client.get("/v1/vouchers/%ff/open", headers=still.key_of("officer")).status_code == 400
    route = described["paths"]["/v1/vouchers/{person}/open"]["get"]
    assert (route["summary"], route["tags"]) == ("Return what a person may spend.", ["vouchers"])
    (parameter,) = route["parameters"]
    assert (parameter["name"], parameter["in"], parameter["schema"]["maxLength"]) == ("person", "path", 256)
    assert "Voucher" in described["components"]["schemas"]
    assert {"name": "vouchers", "description": "What people may spend."} in described["tags"]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert CANARY not in "".join(ours)


def test_each_file_is_a_capability_of_the_engine(still):
    """Routes are listed under the engine's own nouns, in its order, each in the file of that name."""
    nouns = [noun for noun in vars(still.engine) if not noun.startswith("_")]
    names = [tag.name for tag in OPERATIONS]
    assert names == [noun for noun in nouns if noun in names]
    for tag in OPERATIONS:
        assert tag == getattr(api, tag.name).TAG
        assert tag.text.endswith(".")


@pytest.mark.parametrize("path", ["/v1/a/{person}/b/{item}", "/v1/a/x{person}", "/v1/a/{person}x", "/v1/a/{unknown}"])
def test_a_path_holds_at_most_one_name_whose_field_is_known(path):
    """What could not be lifted out of the path, or not be described, is refused where it is declared."""
    with pytest.raises(ValueError, match="name"):
        operation("GET", path, act=PUBLIC)


def test_a_lean_path_holds_no_name():
    """Lean paths go past the place where names are lifted out."""
    with pytest.raises(ValueError, match="lean"):
        operation("POST", "/v1/a/{person}", act=PUBLIC, lean=True)


def test_a_page_brings_the_policy_for_pages(still):
    """HTML may load from this server alone, is not kept, and tells other sites nothing; its errors are for programs."""

    @operation("GET", "/hello", act=PUBLIC, answer=str, media="text/html", surface=policies.PAGES)
    async def hello(_):
        """Greet."""
        return "<!doctype html><title>Hello</title>"

    with TestClient(make_app(still.engine, operations={Tag("hello", "Greetings."): (hello,)})) as client:
        page, missing = client.get("/hello"), client.get("/hello/nobody")
    result = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert (result["default-src"], result["img-src"], result["frame-ancestors"]) == ("'self'", "'self' data:", "'none'")
    assert result.keys().isdisjoint({"script-src", "style-src"})
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert missing.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
