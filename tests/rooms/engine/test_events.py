"""`engine.events`: raw bodies of events."""

import gzip
import json

import pytest

from assent import InvalidInput, NotFound
from tests.journeys.shop import BOTH, NEITHER, TEA, views

BODY = json.dumps(
    {"writeKey": "browser_1", "batch": views("ana", TEA[:2], BOTH) + views("bo", TEA[:1], NEITHER)}
).encode()


def test_a_body_is_stored_once_its_future_resolves(engine):
    """Events under a yes are stored; those under a no are dropped with the reason, and their person is not known."""
    taken = engine.events.submit(BODY, kind="batch").result(timeout=60)
    assert taken.stored == 2
    assert sum(taken.dropped.values()) == 1
    assert len(engine.export("ana").events) == 2
    with pytest.raises(NotFound):
        engine.export("bo")


def test_a_packed_body_says_the_same(engine):
    """A body in gzip is read, and its write key is found as in a plain one."""
    packed = gzip.compress(BODY)
    assert engine.events.submit(packed, encoding="gzip", kind="batch").result(timeout=60).stored == 2
    assert engine.events.write_key_of(packed, "gzip") == engine.events.write_key_of(BODY) == "browser_1"
    assert engine.events.write_key_of(b'{"batch": []}') is None


def test_global_privacy_control_wins_over_every_yes(engine):
    """With `gpc` nothing optional is stored."""
    assert engine.events.submit(BODY, kind="batch", gpc=True).result(timeout=60).stored == 0


def test_what_is_no_batch_at_all_is_refused(engine):
    """A body that cannot be read is an error with advice, not a count."""
    with pytest.raises(InvalidInput) as caught:
        engine.events.submit(b"not json", kind="batch").result(timeout=60)
    assert caught.value.advice
