"""Bodies read: every form that clients send, every limit, and nothing but our own errors for everything else."""

from __future__ import annotations

import gzip
import json
import zlib
from hashlib import blake2b
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.intake.allow import AllowList
from assent.intake.parse import Batch, Parser, body_of, context_of, write_key_of
from assent.terms.clock import DAY_MS, to_text
from assent.terms.errors import AssentError, InvalidInput, TooLarge
from assent.terms.limits import limit
from assent.testing import START_MS


def digest(text):
    """Return the 16-byte digest of an event id, as the vault does under a key of its own."""
    return blake2b(text.encode("utf-8", "surrogatepass"), key=b"k" * 32, digest_size=16).digest()


PARSER = Parser(AllowList.load(), digest, lambda: START_MS)


def parse(value: Any, kind: str | None = "batch", encoding: str | None = None) -> Batch:
    """Parse a value as JSON, or bytes as they are."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return PARSER.parse(body, kind=kind, content_encoding=encoding)


def event(**fields: Any) -> dict[str, Any]:
    """Return a small good event."""
    return {"type": "track", "event": "Product Viewed", "userId": "ann", **fields}


def dropped(**fields: Any) -> dict[str, int]:
    """Return what a batch of one event is dropped for."""
    return parse({"batch": [event(**fields)]}).dropped


def nested(levels: int) -> Any:
    """Return lists inside lists."""
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("identify", {"userId": "a", "traits": {"first_name": "Ann"}}),
        ("track", {"userId": "a", "event": "Product Viewed"}),
        ("page", {"anonymousId": "a", "category": "tea", "properties": {"url": "https://u:p@shop.example/a?b#c"}}),
        ("screen", {"anonymousId": "a", "properties": {"category": "tea"}}),
        ("group", {"userId": "a", "groupId": 5}),
        ("alias", {"userId": "a", "previousId": "b"}),
    ],
)
def test_each_kind_is_read_by_its_path_long_or_short_and_by_its_type(kind, fields) -> None:
    """A call is what its path says, and where the path says nothing, what its type says."""
    for batch in (
        parse(fields, kind),
        parse(fields, kind[0]),
        parse({"type": kind, **fields}, None),
        parse({"batch": [{"type": kind, **fields}]}, "batch"),
        parse({"batch": [{"type": kind, **fields}]}, "b"),
        parse({"batch": [{"type": kind, **fields}]}, None),
    ):
        assert [(group.events[0].type, len(group.events)) for group in batch.groups] == [(kind, 1)]
        assert batch.dropped == {}
        assert batch.events == 1


def test_what_each_kind_keeps() -> None:
    """Only allow-listed fields stay; URLs lose query, fragment and user; the e-mail becomes an identifier."""
    page = parse({"anonymousId": "a", "category": "x", "properties": {"url": "https://u:p@shop.example/a?b#c"}}, "p")
    assert page.groups[0].events[0].properties == {"category": "x", "url": "https://shop.example/a"}
    identify = parse({"userId": "a", "traits": {"email": "A@b.c", "first_name": "Ann", "age": 4}}, "i").groups[0]
    assert (identify.email, identify.events[0].traits) == ("a@b.c", {"first_name": "Ann"})
    assert parse({"userId": "a", "groupId": 5}, "g").groups[0].events[0].group_id == "5"
    track = parse(event(properties={"product_id": "t", "price": 2.5, "quantity": 2**70, "who": "me"}), "t")
    kept = msgspec.json.decode(msgspec.json.encode(track.groups[0].events[0].properties))
    assert kept == {"product_id": "t", "price": 2.5}


@pytest.mark.parametrize(
    ("properties", "kept", "ids"),
    [
        ({"product_id": "t", "price": 1}, {"product_id": "t", "price": 1}, ["t"]),
        ({"product_id": "a/b?mail=x@y.z", "sku": "s"}, {"product_id": "a/b", "sku": "s"}, ["a/b?mail=x@y.z"]),
        ({"sku": 17}, {"sku": 17}, ["17"]),
        ({"product_id": "", "sku": " s "}, {"product_id": "", "sku": " s "}, ["s"]),
        ({"product_id": True}, {"product_id": True}, []),
        ({"product_id": "x" * 200}, {"product_id": "x" * 200}, []),
        ({"product_id": None, "price": None}, {}, []),
        ({"product_id": ["t"], "sku": "s"}, {"sku": "s"}, []),
        ({"products": [{"sku": "s"}, {"product_id": 5}]}, {}, ["s", "5"]),
        ({"products": "none"}, {}, []),
        ({}, {}, []),
    ],
)
def test_the_item_of_an_act_is_its_product_id_or_its_sku(properties, kept, ids) -> None:
    """The quick way and the thorough way of reading properties keep the same and name the same items."""
    import msgspec

    (group,) = parse(event(properties=properties), "t").groups
    encoded = msgspec.msgpack.decode(msgspec.msgpack.encode(group.events[0]))
    assert encoded.get("properties", {}) == kept
    assert [item for _, _, _, item in group.deeds] == ids


def test_metrics_are_swallowed() -> None:
    """Clients post figures about themselves; they are accepted and not looked at."""
    assert parse(b"not json at all", "m").events == 0


@pytest.mark.parametrize(
    "body", [b"{", b"", b"[]", b"5", b'"x"', b"nul", b'{"batch": 5}', b'{"batch": {}}', b'{"batch": [1,}']
)
def test_what_is_no_batch_is_refused(body) -> None:
    """Malformed JSON and other shapes are an error that says what to send."""
    with pytest.raises(InvalidInput) as raised:
        parse(body)
    assert raised.value.advice


def test_other_refusals() -> None:
    """No UTF-8, a batch path without a batch, an unknown kind, an unknown encoding, a context that is no object."""
    for body, kind, encoding in (
        (b'{"batch": [], "writeKey": "\xff"}', "batch", None),
        (b"{}", "batch", None),
        (b"{}", "orders", None),
        (b"{}", None, "br"),
        (b'{"batch": [], "context": "x"}', "batch", None),
        (b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "batch", None),
        (b'{"batch": [' + b'{"a":' * 100_000, "batch", None),
    ):
        with pytest.raises(InvalidInput):
            parse(body, kind, encoding)


def test_gzip_is_known_by_its_bytes() -> None:
    """Compressed bodies are read with and without the header; the header alone does not make a body gzip."""
    body = json.dumps({"batch": [event()]}).encode()
    two_members = gzip.compress(body[:20]) + gzip.compress(body[20:])
    for sent, encoding in (
        (gzip.compress(body), None),
        (gzip.compress(body), "gzip"),
        (body, "gzip"),
        (two_members, "x-gzip"),
    ):
        assert parse(sent, "batch", encoding).events == 1


def test_broken_gzip_is_refused() -> None:
    """A damaged or cut body is an error, not half a batch."""
    packed = gzip.compress(json.dumps({"batch": [event()]}).encode())
    for body in (packed[:-12], packed[:15] + b"\x00\x00" + packed[17:], b"\x1f\x8b"):
        with pytest.raises(InvalidInput):
            parse(body)


def test_a_gzip_bomb_is_refused_without_being_inflated() -> None:
    """A small body that inflates past the limit is too large, in one member or in many."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b" " * (limit("body_inflated_bytes_max") + 1)) + packer.flush()
    many = gzip.compress(b" " * 2_000_000) * 10
    for body in (bomb, many):
        assert len(body) < 100_000
        with pytest.raises(TooLarge):
            parse(body)


def test_bodies_and_batches_over_their_limits_are_refused() -> None:
    """More bytes or more events than allowed: nothing of it is taken."""
    with pytest.raises(TooLarge):
        parse(b" " * (limit("body_bytes_max") + 1))
    with pytest.raises(TooLarge):
        parse({"batch": [1] * (limit("batch_events_max") + 1)})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"userId": None}, "no_identifier"),
        ({"userId": "  "}, "no_identifier"),
        ({"userId": "x" * 257}, "identifier_invalid"),
        ({"userId": "a\x00b"}, "identifier_invalid"),
        ({"userId": 2**80}, "identifier_invalid"),
        ({"userId": 1.5}, "malformed"),
        ({"userId": ["a"]}, "malformed"),
        ({"event": 5}, "malformed"),
        ({"event": ""}, "malformed"),
        ({"event": "x" * 201}, "malformed"),
        ({"properties": []}, "malformed"),
        ({"context": "x"}, "malformed"),
        ({"type": "order"}, "unknown_type"),
        ({"type": None}, "unknown_type"),
        ({"type": "alias"}, "no_identifier"),
        ({"type": "alias", "previousId": "b", "userId": None, "anonymousId": "c"}, "no_identifier"),
        ({"messageId": "m" * 101}, "message_id_too_long"),
        ({"messageId": 10**101}, "identifier_invalid"),
        ({"timestamp": "yesterday"}, "bad_timestamp"),
        ({"timestamp": "9999-99-99"}, "bad_timestamp"),
        ({"timestamp": 5}, "malformed"),
        ({"timestamp": to_text(START_MS - 3_651 * DAY_MS)}, "too_old"),
        ({"timestamp": to_text(START_MS + DAY_MS + 60_000)}, "in_future"),
        ({"properties": {"note": "x" * 33_000}}, "too_large"),
        ({"properties": {"a": nested(40)}}, "too_deep"),
        ({"properties": {"products": [{"sku": "x"}] * 501}}, "too_many_products"),
    ],
)
def test_a_bad_event_is_dropped_by_reason_and_the_batch_goes_on(fields, reason) -> None:
    """One bad event costs itself; alone it is counted as well, unless its sheer size or depth is refused."""
    bad = event(**fields)
    batch = parse({"batch": [event(), bad, event(userId="bob")]})
    assert (batch.events, batch.dropped) == (2, {reason: 1})
    refused = {"too_large": 413, "too_deep": 400}.get(reason) or (400 if "context" in fields else None)
    if refused is None:
        assert parse(bad, None).dropped == {reason: 1}
        return
    with pytest.raises(AssentError) as raised:
        parse(bad, None)
    assert raised.value.status == refused


def test_items_that_are_no_objects_are_dropped() -> None:
    """ItemNumbers, lists and nulls in a batch are malformed events."""
    assert parse({"batch": [1, None, [], "x", event()]}).dropped == {"malformed": 4}


def test_nesting_up_to_the_limit_is_fine_and_brackets_in_text_do_not_count() -> None:
    """Depth is counted, not brackets."""
    assert dropped(properties={"a": nested(28)}) == {}
    assert dropped(properties={"a": "[" * 200, "b": []}) == {}
    assert dropped(properties={"a": '"[' * 200, "b": []}) == {}
    assert dropped(properties={"a": [[] for _ in range(100)]}) == {}


def test_times_are_corrected_for_the_clients_clock() -> None:
    """An event happened as long before we received it as it happened before it was sent."""
    wrong = START_MS - 5 * DAY_MS

    def at(batch: Batch) -> int:
        return batch.groups[0].events[0].at_ms

    assert at(parse({"batch": [event(timestamp=to_text(wrong - 7_000))], "sentAt": to_text(wrong)})) == START_MS - 7_000
    assert at(parse({"batch": [event(timestamp=to_text(wrong))]})) == wrong
    assert at(parse({"batch": [event()], "sentAt": to_text(wrong)})) == START_MS
    assert at(parse({"batch": [event(timestamp=to_text(START_MS + 60_000))]})) == START_MS
    assert at(parse({"batch": [event(timestamp=to_text(wrong))], "sentAt": "never"})) == wrong
    own = event(originalTimestamp=to_text(wrong - 1_000), timestamp=to_text(START_MS), sentAt=to_text(wrong))
    assert at(parse({"batch": [own], "sentAt": to_text(START_MS)})) == START_MS - 1_000
    assert at(parse({"batch": [event(timestamp="2026-01-05")]})) == START_MS - 9 * 3_600_000


def test_events_of_one_person_and_one_consent_are_one_group() -> None:
    """Events with the same people and the same consent objects are decided on once."""
    yes = {"consent": {"categoryPreferences": {"learn": True}}}
    batch = parse({"batch": [event(context=yes), event(context=yes), event(), event(anonymousId="d")]})
    assert [len(group.events) for group in batch.groups] == [2, 1, 1]


def test_part_of_a_group_keeps_what_belongs_to_its_events() -> None:
    """Taking some events out of a group takes their digests and their items along."""
    bought = event(event="Order Completed", properties={"products": [{"sku": "x"}, {"sku": "y"}]}, messageId="2")
    viewed = event(properties={"sku": "z"}, messageId="1", timestamp=to_text(START_MS - 5_000))
    (group,) = parse({"batch": [viewed, bought]}).groups
    part = group.only([1])
    assert (part.events, part.digests, part.newest_ms) == ([group.events[1]], [group.digests[1]], START_MS)
    assert [(place, item) for place, _, _, item in part.deeds] == [(0, "x"), (0, "y")]
    assert group.only([0]).newest_ms == START_MS - 5_000


def test_the_write_key_of_a_body_is_read() -> None:
    """Some clients name their key in the body."""
    assert parse({"batch": [], "writeKey": "k"}).write_key == "k"
    assert write_key_of(gzip.compress(b'{"writeKey": "k"}')) == "k"
    assert write_key_of(b'{"type": "track"}') is None


def test_values_that_json_does_not_have_are_refused() -> None:
    """Handing over something that is no JSON value is an error of our own."""
    loop: list[Any] = []
    loop.append(loop)
    for value in (object(), {1j: 2}, "\ud800", loop):
        with pytest.raises(InvalidInput):
            body_of([event(properties={"x": value})])


def test_a_consent_object_that_nobody_could_mean_is_unreadable() -> None:
    """Too deep, too long, or broken: it says nothing that could be taken for a yes."""
    for text in (b"[" * 50 + b"]" * 50, b'"' + b"x" * 9_000 + b'"', b'{"a": 1e999}', b"{"):
        assert context_of((text, b"")) == {"consent": None}
    assert context_of((b'{"a":1}', b"[]")) == {"consent": {"a": 1}, "consentManagement": []}
    assert context_of((b"", b"")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = [
    "type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp", "originalTimestamp",
    "sentAt", "category", "properties", "traits", "context",
]  # fmt: skip
CALLS = st.dictionaries(
    st.sampled_from(FIELDS), JSON | st.sampled_from(["track", "identify", "Order Completed", "ann"]), max_size=8
)
PROPERTIES = st.dictionaries(st.sampled_from(["product_id", "sku", "products", "price", "url", "x"]), JSON, max_size=5)


def check(body: bytes, kind: str | None) -> None:
    """Parse; anything but a batch or an error of our own fails the test."""
    try:
        batch = PARSER.parse(body, kind=kind)
    except AssentError as error:
        told = error
    else:
        told = None
    if told is not None:
        assert told.message
        assert told.advice
        return
    for group in batch.groups:
        assert len(group.digests) == len(group.events)
        for each in group.events:
            assert 0 < each.at_ms <= START_MS
            assert each.user_id or each.anonymous_id
        assert body_of([{"events": len(group.events)}])


@given(st.binary(max_size=400), st.sampled_from([None, "batch", "track", "i"]))
def test_any_bytes_give_a_batch_or_our_own_error(body, kind) -> None:
    """The answer to any body is a batch or an error with advice."""
    check(body, kind)
    check(gzip.compress(body), kind)


@given(st.lists(CALLS | JSON, max_size=4), st.sampled_from([None, "batch", "track", "alias"]))
def test_any_json_gives_a_batch_or_our_own_error(events, kind) -> None:
    """Events of any shape, in a batch or alone, never break the reader."""
    body = json.dumps({"batch": events, "sentAt": to_text(START_MS)}).encode()
    check(body, kind)
    for each in events:
        check(json.dumps(each).encode(), kind)


@given(PROPERTIES)
def test_any_properties_leave_only_what_is_allowed(properties) -> None:
    """Of any properties only allow-listed, plain values stay, and they fit into a sealed record."""
    import msgspec

    body = json.dumps({"batch": [event(event="Order Completed", properties=properties)]}).encode()
    try:
        batch = PARSER.parse(body, kind="batch")
    except InvalidInput:
        return
    for group in batch.groups:
        for each in group.events:
            msgspec.msgpack.encode(each)
            assert (each.properties or {}).keys() <= AllowList.load().track["Order Completed"]
