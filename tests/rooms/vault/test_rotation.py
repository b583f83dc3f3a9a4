"""The key file is changed while people stay: every key is wrapped anew, a few at a time."""

from __future__ import annotations

import pytest

from assent.store.topics import meta, people
from assent.terms.errors import Conflict, KeyFileMissing
from assent.terms.ids import PersonId
from assent.testing import SeededRandomness
from assent.vault import KeyFile, Vault
from tests.rooms.vault.histories import ANN


def test_rotation_goes_on_where_it_stopped(shop, keyfile, clock):
    """Keys are wrapped anew a few at a time; at the end the old key is not needed, and every seal still opens."""
    sealed = {name: shop.join(name).seal("records", 1, name.encode()) for name in ("ann", "bob", "cid")}
    new = keyfile.rotated(randomness=SeededRandomness(5))
    with shop.store.read() as session:
        epoch = meta.epoch(session)
    left = [shop.store.write(lambda session: shop.vault.rewrap(session, new, 2)) for _ in range(3)]
    assert left == [1, 0, 0]
    with shop.store.read() as session:
        assert meta.epoch(session) == epoch + 2
    shop.join("dan")
    after = Vault(new.retired(), clock, SeededRandomness(6))
    with shop.store.read() as session:
        for name in (*sealed, "dan"):
            key = after.key(
                PersonId(name.encode().ljust(16, b"-")), *people.key(session, name.encode().ljust(16, b"-"))
            )
            assert name == "dan" or key.open("records", 1, sealed[name]) == name.encode()


def test_rotation_at_once(shop, keyfile):
    """Without a count every key is wrapped anew in one job."""
    shop.join("ann")
    new = keyfile.rotated(randomness=SeededRandomness(5))
    assert shop.store.write(lambda session: shop.vault.rewrap(session, new)) == 0
    with shop.store.read() as session:
        assert people.key(session, ANN)[1] == new.current


def test_rotation_refuses_what_it_cannot_unwrap(shop, keyfile, tmp_path):
    """Another store's key file, or a key wrapped by a key in neither file, is refused; nothing is changed."""
    other = KeyFile.make(tmp_path / "other.key", SeededRandomness(9))
    with pytest.raises(Conflict):
        shop.store.write(lambda session: shop.vault.rewrap(session, other))
    shop.join("ann")
    shop.store.write(lambda session: people.put_key(session, ANN, b"wrapped", "k-unknown"))
    with pytest.raises(KeyFileMissing):
        shop.store.write(lambda session: shop.vault.rewrap(session, keyfile.rotated(randomness=SeededRandomness(5))))
