"""The bounds of what comes in, each on both sides, as numbers written here: read at the bound, not one past it."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from hashlib import blake2b
from typing import Any

import pytest

from assent.intake.allow import AllowList
from assent.intake.parse import Batch, Parser, context_of
from assent.terms.clock import DAY_MS, to_text
from assent.terms.errors import InvalidInput, TooLarge
from assent.testing import START_MS
from tests.rooms.intake.shop import Shop


def digest(text):
    """Return the 16-byte digest of an event id, as the vault does under a key of its own."""
    return blake2b(text.encode("utf-8", "surrogatepass"), key=b"k" * 32, digest_size=16).digest()


PARSER = Parser(AllowList.load(), digest, lambda: START_MS)

BODY_BYTES = 4_194_304
INFLATED_BYTES = 16_777_216
EVENT_BYTES = 32_768
EVENTS = 2_500
LEVELS = 32


def event(**fields: Any) -> dict[str, Any]:
    """Return a small good event."""
    return {"type": "track", "event": "Product Viewed", "userId": "ann", **fields}


def parse(body: bytes, kind: str | None = "batch") -> Batch:
    """Parse a body."""
    return PARSER.parse(body, kind=kind)


def read(**fields: Any) -> tuple[int, dict[str, int]]:
    """Return how many events of a batch of one are read, and what is dropped for which reason."""
    batch = parse(json.dumps({"batch": [event(**fields)]}).encode())
    return batch.events, batch.dropped


def padded(value: Any, size: int) -> bytes:
    """Return JSON text of exactly so many bytes."""
    text = json.dumps(value).encode()
    return text[:-1] + b" " * (size - len(text)) + text[-1:]


def nested(levels: int) -> Any:
    """Return lists inside lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_body_of_exactly_the_bound_is_read() -> None:
    """Four mebibytes are a body, one byte more is too large."""
    assert parse(padded({"batch": [event()]}, BODY_BYTES)).events == 1
    with pytest.raises(TooLarge):
        parse(padded({"batch": [event()]}, BODY_BYTES + 1))


def test_a_body_that_inflates_to_exactly_the_bound_is_read() -> None:
    """Sixteen mebibytes may come out of a compressed body, in one member or in two; one byte more is too large."""
    whole = padded({"batch": [event()]}, INFLATED_BYTES)
    assert parse(gzip.compress(whole, 1)).events == 1
    assert parse(gzip.compress(whole[:1_000], 1) + gzip.compress(whole[1_000:], 1)).events == 1
    over = padded({"batch": [event()]}, INFLATED_BYTES + 1)
    for body in (gzip.compress(over, 1), gzip.compress(over[:1_000], 1) + gzip.compress(over[1_000:], 1)):
        with pytest.raises(TooLarge):
            parse(body)


def test_a_gzip_bomb_never_takes_much_more_memory_than_the_bound() -> None:
    """A body that would inflate to twelve times the bound is refused while little more than the bound is held."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b" " * INFLATED_BYTES) for _ in range(12)) + packer.flush()
    assert len(bomb) < BODY_BYTES
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            parse(bomb)
        assert tracemalloc.get_traced_memory()[1] < 3 * INFLATED_BYTES
    finally:
        tracemalloc.stop()


def test_a_batch_of_exactly_the_bound_is_read() -> None:
    """Two thousand five hundred events are a batch, one more is too many."""
    assert parse(json.dumps({"batch": [event()] * EVENTS}).encode()).events == EVENTS
    with pytest.raises(TooLarge):
        parse(json.dumps({"batch": [event()] * (EVENTS + 1)}).encode())


def test_an_event_of_exactly_the_bound_is_read() -> None:
    """Thirty-two kibibytes are an event, in a batch and alone; one byte more is dropped there and refused here."""
    fits, over = padded(event(), EVENT_BYTES), padded(event(), EVENT_BYTES + 1)
    assert parse(b'{"batch":[%b]}' % fits).events == parse(fits, "track").events == 1
    assert parse(b'{"batch":[%b]}' % over).dropped == {"too_large": 1}
    with pytest.raises(TooLarge):
        parse(over, "track")


def test_an_event_of_exactly_so_many_levels_is_read() -> None:
    """Thirty-two levels of brackets may stand inside each other, those of the event and its properties among them."""
    inside = LEVELS - 2
    assert read(properties={"a": nested(inside)}) == (1, {})
    assert read(properties={"a": nested(inside + 1)}) == (0, {"too_deep": 1})
    assert parse(json.dumps(event(properties={"a": nested(inside)})).encode(), None).events == 1
    with pytest.raises(InvalidInput):
        parse(json.dumps(event(properties={"a": nested(inside + 1)})).encode(), None)


@pytest.mark.parametrize(
    ("fits", "over", "reason"),
    [
        ({"userId": "u" * 256}, {"userId": "u" * 257}, "identifier_invalid"),
        ({"anonymousId": "d" * 256}, {"anonymousId": "d" * 257}, "identifier_invalid"),
        ({"userId": 2**64 - 1}, {"userId": 2**64}, "identifier_invalid"),
        ({"messageId": "m" * 100}, {"messageId": "m" * 101}, "message_id_too_long"),
        ({"event": "e" * 200}, {"event": "e" * 201}, "malformed"),
        (
            {"event": "Order Completed", "properties": {"products": [{"sku": "x"}] * 500}},
            {"event": "Order Completed", "properties": {"products": [{"sku": "x"}] * 501}},
            "too_many_products",
        ),
        (
            {"timestamp": to_text(START_MS - 3_650 * DAY_MS)},
            {"timestamp": to_text(START_MS - 3_650 * DAY_MS - 1)},
            "too_old",
        ),
        ({"timestamp": to_text(START_MS + 86_400_000)}, {"timestamp": to_text(START_MS + 86_400_001)}, "in_future"),
    ],
)
def test_a_field_at_its_bound_is_read_and_one_past_it_is_dropped(fits, over, reason) -> None:
    """Neither side of any bound is guessed."""
    assert read(**fits) == (1, {})
    assert read(**over) == (0, {reason: 1})


@pytest.mark.parametrize("more", [{}, {"list": [1]}])
def test_an_item_id_at_its_bound_names_an_item(more) -> None:
    """Up to 128 characters are an item's id, however its properties are read; a longer one names no item."""
    for chars, ids in ((128, ["i" * 128]), (129, [])):
        body = json.dumps({"batch": [event(properties={"product_id": "i" * chars, **more})]}).encode()
        assert [item for _, _, _, item in parse(body).groups[0].deeds] == ids


def test_an_email_at_its_bound_is_an_identifier() -> None:
    """Up to 256 characters are an e-mail; a longer one is none, and the call stays."""
    for chars, found in ((256, True), (257, False)):
        address = "a" * (chars - 12) + "@example.org"
        body = json.dumps({"userId": "ann", "traits": {"email": address}}).encode()
        (group,) = parse(body, "identify").groups
        assert (group.email == address) is found


def test_a_consent_object_at_its_bound_is_read() -> None:
    """Eight kibibytes may speak of consent, at 32 levels; what is longer or deeper says nothing that could be a yes."""
    assert context_of((padded({"a": 1}, 8_192), b"")) == {"consent": {"a": 1}}
    assert context_of((padded({"a": 1}, 8_193), b"")) == {"consent": None}
    assert context_of((json.dumps(nested(LEVELS)).encode(), b"")) == {"consent": nested(LEVELS)}
    assert context_of((json.dumps(nested(LEVELS + 1)).encode(), b"")) == {"consent": None}


def test_evidence_at_its_bound_is_kept(file_shop: Shop, tmp_path) -> None:
    """Two thousand characters may prove the consent of a file."""
    path = tmp_path / "events.csv"
    path.write_text("user_id,product_id,event,timestamp\nann,tea,view,2025-03-01\n")
    done = file_shop.importer.run("events", path, grant=("learn",), evidence="x" * 2_000)
    assert done.table["imported"] == 1
    with pytest.raises(InvalidInput):
        file_shop.importer.run("events", path, grant=("learn",), evidence="x" * 2_001)
