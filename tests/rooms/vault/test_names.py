"""Names, event ids and API keys are known by keyed digests; what the vault signs can be checked."""

from __future__ import annotations

import hmac
from hashlib import blake2b

from assent.terms.ids import Identifier, identifiers_named
from assent.vault import digest_api_key, verify_signed


def test_blinds_keep_order_and_kind(vault):
    """A bare name is looked up as every kind, in order, each with bytes of its own."""
    named = identifiers_named("ann@example.org")
    blinds = vault.blinds(named)
    assert [kind for kind, _ in blinds] == ["user_id", "anonymous_id", "email"]
    assert len({blind for _, blind in blinds}) == 3
    assert blinds[2][1] == vault.blind(Identifier("email", "ann@example.org"))


def test_event_id_and_api_key_digests(vault, keyfile):
    """An event id's digest needs the key file, and its key is made of the pepper; an API key's digest is its own."""
    key = hmac.digest(keyfile.pepper, b"assent message ids", "sha256")
    for event_id in ("m-1", "\ud800"):
        digest = blake2b(event_id.encode("utf-8", "surrogatepass"), key=key, digest_size=16).digest()
        assert vault.digest_event_id(event_id) == digest
    assert len(digest_api_key("server_1")) == 32
    assert digest_api_key("server_1") != digest_api_key("server_2")


def test_signing(vault):
    """What the vault signs verifies under its public key."""
    signed = vault.sign({"a": 1})
    assert verify_signed(signed, vault.signer.public_key)
    assert signed["public_key"] == vault.public_key


def test_the_journal_stands_beside_the_key_file(vault, keyfile):
    """The erase journal is kept with the keys, not with the data."""
    assert vault.key_path == keyfile.path
    assert vault.journal_path.parent == keyfile.path.parent
    assert vault.journal_path.name == "shop.erasures"
