"""Seals, wrapped keys and the blind index."""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from assent.terms.errors import Corrupt
from assent.terms.ids import IDENTIFIER_KINDS, Identifier, PersonId
from assent.testing import SeededRandomness
from assent.vault import PersonKey, decision_number
from assent.vault.blind_index import BlindIndex, kind_key
from assent.vault.seals import seal_records, unwrap, wrap

PERSON, OTHER = PersonId(b"p" * 16), PersonId(b"q" * 16)
SECRET = b"s" * 32

tables = st.sampled_from(["records", "trails", "log", "contributions:recommender"])
sequences = st.integers(0, 2**64 - 1)


def key_of(person: PersonId = PERSON, secret: bytes = SECRET) -> PersonKey:
    return PersonKey(person, secret, SeededRandomness(7).bytes)


@given(tables, sequences, st.binary(max_size=400))
def test_a_seal_opens_where_it_stands(table: str, sequence: int, plaintext: bytes) -> None:
    """What was sealed opens again at its place, and is 29 bytes longer."""
    sealed = key_of().seal(table, sequence, plaintext)
    assert len(sealed) == len(plaintext) + 1 + 12 + 16
    assert key_of().open(table, sequence, sealed) == plaintext


def test_many_records_are_sealed_as_one_is() -> None:
    """Each opens at its own places with its own key, an empty trail is none, and no two seals share a nonce."""
    keys = [key_of(), key_of(OTHER, b"t" * 32)]
    rows = [(keys[seq % 2], seq, b"events %d" % seq, b"trail" * (seq % 3)) for seq in range(300)]
    sealed = seal_records(SeededRandomness(3).bytes, rows)
    for (key, seq, events, trail), (sealed_events, sealed_trail) in zip(rows, sealed, strict=True):
        assert key.open("records", seq, sealed_events) == events
        assert (sealed_trail is None) == (not trail)
        assert sealed_trail is None or key.open("trails", seq, sealed_trail) == trail
    nonces = [each[1:13] for both in sealed for each in both if each is not None]
    assert len(set(nonces)) == len(nonces) == 500


@given(tables, st.integers(0, 2**32), st.binary(min_size=1, max_size=60))
def test_a_seal_opens_nowhere_else(table: str, sequence: int, plaintext: bytes) -> None:
    """Moved to another row, table or person, or under another key, it does not open."""
    sealed = key_of().seal(table, sequence, plaintext)
    for key, other_table, other_sequence in (
        (key_of(), table, sequence + 1),
        (key_of(), "decisions", sequence),
        (key_of(OTHER), table, sequence),
        (key_of(secret=b"t" * 32), table, sequence),
    ):
        with pytest.raises(Corrupt):
            key.open(other_table, other_sequence, sealed)


@given(st.data())
def test_one_flipped_bit_closes_a_seal(data: st.DataObject) -> None:
    """No bit of a seal can be another one, and no byte can be missing."""
    sealed = bytearray(key_of().seal("records", 1, b"what a person did"))
    at = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[at // 8] ^= 1 << at % 8
    with pytest.raises(Corrupt):
        key_of().open("records", 1, bytes(sealed))
    with pytest.raises(Corrupt):
        key_of().open("records", 1, bytes(sealed[: at // 8]))


def test_a_seal_of_the_first_schema_opens_as_what_it_is() -> None:
    """Its version is part of what is authenticated: it opens, and cannot be passed off as another version."""
    place = b"\x01" + PERSON + (7).to_bytes(8, "big") + b"trails"
    old = b"\x01" + b"n" * 12 + AESGCM(SECRET).encrypt(b"n" * 12, b"entries", place)
    assert key_of().open("trails", 7, old) == b"entries"
    new = key_of().seal("trails", 7, b"entries")
    for altered in (b"\x02" + old[1:], b"\x01" + new[1:], b"\x03" + new[1:]):
        with pytest.raises(Corrupt):
            key_of().open("trails", 7, altered)


def test_equal_plaintexts_have_unequal_seals() -> None:
    """Sealing the same twice gives different bytes: equality does not show."""
    key = key_of()
    assert key.seal("records", 1, b"same") != key.seal("records", 1, b"same")


def test_wrapped_key_belongs_to_its_person() -> None:
    """A wrapped key opens for its person under its key-encryption key, and for nobody else."""
    kek = AESGCM(b"k" * 32)
    wrapped = wrap(kek, PERSON, SECRET, b"n" * 12)
    assert unwrap(kek, PERSON, wrapped) == SECRET
    for other_kek, person, altered in (
        (kek, OTHER, wrapped),
        (AESGCM(b"x" * 32), PERSON, wrapped),
        (kek, PERSON, b"\x00" + wrapped[1:]),
        (kek, PERSON, wrapped[:-1]),
        (kek, PERSON, wrapped[:5]),
    ):
        with pytest.raises(Corrupt):
            unwrap(other_kek, person, altered)


@given(st.sampled_from(IDENTIFIER_KINDS), st.text(max_size=200))
def test_blind_index_is_hmac_under_a_key_of_the_kind(kind: str, value: str) -> None:
    """The fast form equals plain HMAC-SHA-256."""
    index = BlindIndex(SECRET, IDENTIFIER_KINDS)
    expected = hmac.digest(kind_key(SECRET, kind), value.encode("utf-8", "surrogatepass"), sha256)
    assert index.blind(Identifier(kind, value)) == expected


def test_blind_index_differs_by_kind_and_by_root() -> None:
    """The same value of another kind, or in another shop, has other bytes."""
    blinds = {
        BlindIndex(root, IDENTIFIER_KINDS).blind(Identifier(kind, "17"))
        for kind in IDENTIFIER_KINDS
        for root in (SECRET, b"r" * 32)
    }
    assert len(blinds) == 2 * len(IDENTIFIER_KINDS)


def test_decision_number_is_the_head_of_its_id() -> None:
    """A decision is sealed under the first seven bytes of its id."""
    assert decision_number(bytes(range(16))) == 0x00010203040506
