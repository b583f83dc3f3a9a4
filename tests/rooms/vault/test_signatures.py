"""Signatures, canonical JSON and signed checkpoints."""

from __future__ import annotations

import base64
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assent.terms.errors import Corrupt, InvalidInput
from assent.vault import notes
from assent.vault.signatures import Signer, canonical, verify_bytes, verify_signed

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
SIGNER = Signer(SEED)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
payloads = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), json_values, max_size=4)


def test_ed25519_known_answer() -> None:
    """The first test of RFC 8032 section 7.1 comes out byte for byte."""
    assert SIGNER.public_key == PUBLIC
    assert SIGNER.sign_bytes(b"").hex().startswith("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")


def test_canonical_form() -> None:
    """Keys are sorted at every depth, nothing is spaced, text stays UTF-8."""
    assert canonical({"b": [1, {"z": None, "a": True}], "a": "ü"}) == '{"a":"ü","b":[1,{"a":true,"z":null}]}'.encode()


@pytest.mark.parametrize("value", [math.nan, math.inf, b"bytes", {"a": object()}, "\ud800"])
def test_what_is_not_json_is_not_signed(value: object) -> None:
    """Numbers that JSON lacks, bytes, objects and half characters are refused."""
    with pytest.raises(InvalidInput):
        canonical(value)


@given(payloads)
def test_signed_map_verifies(payload: dict[str, object]) -> None:
    """What was signed verifies, under the key that signed it and no other."""
    signed = SIGNER.sign(payload)
    assert verify_signed(signed)
    assert verify_signed(signed, PUBLIC)
    assert not verify_signed(signed, Signer(bytes(32)).public_key)
    assert not verify_signed({**signed, "payload": {**payload, "one more": 1}})


def flipped(text: str) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[0] ^= 1
    return base64.b64encode(raw).decode()


def test_broken_signed_maps_do_not_verify() -> None:
    """A missing part, another type, another encoding, another length: none verifies, none raises."""
    signed = SIGNER.sign({"a": 1})
    for broken in (
        {},
        {**signed, "signature": flipped(signed["signature"])},
        {**signed, "public_key": flipped(signed["public_key"])},
        {**signed, "public_key": "AAAA"},
        {**signed, "public_key": "ä"},
        {**signed, "signature": "?"},
        {**signed, "signature": 7},
        {**signed, "payload": {"a": math.nan}},
    ):
        assert not verify_signed(broken)


def test_signed_note_of_another_implementation() -> None:
    """The published example of the signed-note format verifies: same key hash, same signature."""
    public = base64.b64decode("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")[1:]
    stamp = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )
    text = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    assert notes.key_hash("PeterNeumann", public).hex() == "c74f20a3"
    assert stamp[:4].hex() == "c74f20a3"
    assert verify_bytes(public, stamp[4:], text)


def test_checkpoint_has_the_published_shape() -> None:
    """A checkpoint is origin, size and root on a line each, an empty line, and one signature line."""
    note = notes.sign_checkpoint(SIGNER, 3, bytes(32))
    lines = note.split("\n")
    origin = notes.origin_of(PUBLIC)
    assert lines[:4] == [origin, "3", base64.b64encode(bytes(32)).decode(), ""]
    assert lines[4].startswith(f"— {origin} ")
    assert lines[5:] == [""]


@given(st.integers(0, 2**40), st.binary(min_size=32, max_size=32))
def test_checkpoint_opens(size: int, root: bytes) -> None:
    """What was stated is what is read."""
    opened = notes.open_checkpoint(notes.sign_checkpoint(SIGNER, size, root), PUBLIC)
    assert (opened.size, opened.root) == (size, root)


@given(st.data())
def test_one_changed_character_spoils_a_checkpoint(data: st.DataObject) -> None:
    """No character of a checkpoint can be another one."""
    note = notes.sign_checkpoint(SIGNER, 1000, bytes(range(32)))
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != note[at]))
    with pytest.raises(Corrupt):
        notes.open_checkpoint(note[:at] + other + note[at + 1 :], PUBLIC)


@pytest.mark.parametrize("note", ["", "\n\n", "a\nb\nc\n\n— a b\n", "\ud800\n1\nAAAA\n\n— \ud800 AAAA\n"])
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    """Text of another shape is refused, not misread."""
    with pytest.raises(Corrupt):
        notes.open_checkpoint(note, PUBLIC)


def test_checkpoint_of_another_key_is_refused() -> None:
    """A checkpoint signed by another store's key is refused."""
    with pytest.raises(Corrupt):
        notes.open_checkpoint(notes.sign_checkpoint(Signer(bytes(32)), 1, bytes(32)), PUBLIC)
