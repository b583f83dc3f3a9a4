"""Keys of people: cached by their wrapped form, dropped on demand, and each failure to unwrap has its own error."""

from __future__ import annotations

import pytest

from assent.terms.errors import Corrupt, KeyFileMissing, NotFound
from assent.terms.ids import PersonId
from assent.vault import Vault
from tests.rooms.vault.histories import ANN, BOB


def test_keys_are_cached_by_what_is_stored(vault):
    """The same wrapped bytes give the same key object; other bytes for the same person are unwrapped anew."""
    first, second = vault.new_person_key(ANN), vault.new_person_key(ANN)
    key = vault.key(ANN, *first)
    assert vault.key(ANN, *first) is key
    other = vault.key(ANN, *second)
    assert other is not key
    with pytest.raises(Corrupt):
        other.open("records", 1, key.seal("records", 1, b"x"))


def test_forgotten_keys_are_unwrapped_anew(vault):
    """After `forget` or `clear` no key object is left in the cache."""
    wrapped = vault.new_person_key(ANN)
    key = vault.key(ANN, *wrapped)
    vault.drop_key(ANN)
    vault.drop_key(BOB)
    again = vault.key(ANN, *wrapped)
    assert again is not key
    vault.clear_keys()
    assert vault.key(ANN, *wrapped) is not again


def test_the_cache_is_bounded_and_drops_the_longest_unused(keyfile, clock, randomness):
    """Past its bound the cache lets go of the key that was not asked for longest."""
    vault = Vault(keyfile, clock, randomness, cached_keys=2)
    wrapped = {person: vault.new_person_key(person) for person in (ANN, BOB, PersonId(b"c" * 16))}
    ann, bob = vault.key(ANN, *wrapped[ANN]), vault.key(BOB, *wrapped[BOB])
    assert vault.key(ANN, *wrapped[ANN]) is ann
    vault.key(PersonId(b"c" * 16), *wrapped[PersonId(b"c" * 16)])
    assert vault.key(ANN, *wrapped[ANN]) is ann
    assert vault.key(BOB, *wrapped[BOB]) is not bob


def test_keys_that_cannot_be_unwrapped(vault):
    """A destroyed key, a key under an unknown one, a moved or altered key: each has its own error."""
    wrapped, key_id = vault.new_person_key(ANN)
    with pytest.raises(NotFound):
        vault.key(ANN, None, None)
    with pytest.raises(KeyFileMissing, match="newest copy of its key file"):
        vault.key(ANN, wrapped, "k-unknown")
    with pytest.raises(Corrupt):
        vault.key(BOB, wrapped, key_id)
