"""Nothing about a person can be read in the files: marks are sent in every field and looked for in every byte."""

from __future__ import annotations

import gzip
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.rooms.intake.shop import YES, Shop

USER, DEVICE, MAIL = "canary-user-4711", "canary-device-0815", "canary.mail@example.org"
HIDDEN = {
    "ip": "203.0.113.77",
    "agent": "CanaryBrowser/99.1",
    "query": "canaryquery=1",
    "fragment": "canaryfragment",
    "secret": "canary-secret-property",
    "trait": "canary-trait-value",
    "title": "canary-page-title",
    "message": "canary-message-id",
    "order": "canary-order-id",
    "variant": "canary-variant",
    "password": "canarypassword",
    "nested": "canary-nested",
    "group": "canary-group",
    "event": "Canary Event Name",
}
#: What the allow-list leaves out altogether, so that even the person's own key does not show it.
NOT_KEPT = ("ip", "agent", "query", "fragment", "secret", "trait", "title", "message", "password", "nested")


def calls() -> list[dict]:
    """Return calls of every kind with a mark in every field."""
    context = {
        "ip": HIDDEN["ip"],
        "userAgent": HIDDEN["agent"],
        "page": {"url": f"https://shop.example/?{HIDDEN['query']}", "title": HIDDEN["title"]},
        "traits": {"email": HIDDEN["trait"]},
        "consent": {"categoryPreferences": YES},
    }
    who = {"userId": USER, "anonymousId": DEVICE, "context": context}
    url = f"https://canary:{HIDDEN['password']}@shop.example/a?{HIDDEN['query']}#{HIDDEN['fragment']}"
    product = {
        "product_id": "tea",
        "variant": HIDDEN["variant"],
        "secret": HIDDEN["secret"],
        "x": {"y": HIDDEN["nested"]},
    }
    return [
        {
            "type": "track",
            "event": "Product Viewed",
            "messageId": HIDDEN["message"],
            "properties": {**product, "url": url},
            **who,
        },
        {
            "type": "track",
            "event": "Order Completed",
            "properties": {"order_id": HIDDEN["order"], "products": [product]},
            **who,
        },
        {"type": "track", "event": HIDDEN["event"], "properties": {"secret": HIDDEN["secret"]}, **who},
        {"type": "page", "name": HIDDEN["title"], "properties": {"url": url, "search": HIDDEN["query"]}, **who},
        {"type": "identify", "traits": {"email": MAIL, "nickname": HIDDEN["trait"], "ip": HIDDEN["ip"]}, **who},
        {"type": "group", "groupId": HIDDEN["group"], "traits": {"name": HIDDEN["trait"]}, **who},
    ]


def forms(text: str) -> list[bytes]:
    """Return a mark as it could stand in a file."""
    return [text.encode(), text.encode("utf-16-le"), text.upper().encode(), text.encode().hex().encode()]


def fill(shop: Shop) -> None:
    """Send the calls, refused ones as well, and import a file."""
    body = gzip.compress(json.dumps({"batch": calls(), "writeKey": "canary-write-key"}).encode())
    taken = shop.intake.submit(shop.intake.parse(body, kind="batch")).result()
    assert taken.stored == len(calls())
    refused = [{**call, "userId": "canary-refused", "anonymousId": None, "context": {}} for call in calls()]
    assert shop.send(*refused).stored == 0
    path = shop.key_path.parent / "canary.csv"
    path.write_text("user_id,product_id,event,timestamp,note\ncanary-imported,tea,view,2025-01-01,canary-note\n")
    done = shop.importer.run("events", path, grant=("personalize",), evidence="canary-evidence")
    assert done.table["imported"] == 1
    path.unlink()


def check(content: bytes) -> None:
    """Look for every mark in bytes that were written."""
    marks = [*HIDDEN.values(), USER, DEVICE, MAIL, "canary"]
    found = {mark for mark in marks for form in forms(mark) if form in content}
    assert found == set()
    assert b"tea" in content  # the catalog is in the clear, so the search does find what is there


def test_no_mark_is_readable_in_the_database_files(file_shop: Shop) -> None:
    """Database, log and index files hold no identifier, no property and no address in any readable form."""
    fill(file_shop)
    path = file_shop.store.path
    files = [each for each in path.parent.iterdir() if each.name.startswith(path.name)]
    assert len(files) >= 2
    check(b"".join(each.read_bytes() for each in files))
    file_shop.store.checkpoint()
    check(path.read_bytes())


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_no_mark_is_readable_in_a_dump_of_the_server(shop: Shop, store_url) -> None:
    """The same on a server, in everything that its tables hold."""
    import psycopg

    fill(shop)
    assert urlsplit(store_url).scheme == "postgresql"
    content = []
    with psycopg.connect(store_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            with connection.cursor().copy(f'COPY "{table}" TO STDOUT (FORMAT BINARY)'.encode()) as rows:
                content.extend(bytes(piece) for piece in rows)
    check(b"".join(content))


def test_what_is_not_allowed_is_not_even_under_the_persons_own_key(shop: Shop) -> None:
    """Address, browser, query, title, unknown properties: not kept, so no export can ever show them."""
    fill(shop)
    shown = json.dumps(shop.events(USER))
    assert [mark for mark in NOT_KEPT if HIDDEN[mark] in shown] == []
    for mark in ("order", "variant", "group", "event"):
        assert HIDDEN[mark] in shown
    assert "https://shop.example/a" in shown
    assert MAIL in shown


def test_the_key_file_opens_nothing_by_being_near(file_shop: Shop) -> None:
    """`strings` over the store finds no mark: what a curious hand would try first."""
    fill(file_shop)
    file_shop.store.checkpoint()
    try:
        found = subprocess.run(["strings", "-a", str(file_shop.store.path)], capture_output=True, check=True).stdout
    except FileNotFoundError:
        found = Path(file_shop.store.path).read_bytes()
    assert b"canary" not in found.lower()
