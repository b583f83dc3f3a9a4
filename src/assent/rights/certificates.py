"""Certificates of erasure: the removed data, the digests, and the log's own proof, signed together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from assent.store.topics import log, people
from assent.terms.answers.people import Certificate
from assent.terms.answers.proofs import Check, Verification
from assent.terms.clock import to_text
from assent.vault import Proven, canonical, leaf_of, verify_signed

if TYPE_CHECKING:
    from assent.store import Session, Store
    from assent.store.topics.erasures import ErasureRow
    from assent.vault import Vault

FORMAT = "assent-erasure-1"
COMPLETED = "erasure completed"


def facts_digest(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an erasure's facts, hexadecimal; the log holds it."""
    return sha256(canonical(facts)).hexdigest()


def make_certificate(vault: Vault, row: ErasureRow, facts: Mapping[str, Any], logged: Proven) -> Certificate:
    """Sign the facts of an erasure; the same facts and proof give the same certificate, byte for byte."""
    body = {
        "format": FORMAT,
        "erasure": row.erasure_id.hex(),
        "person": row.person.hex(),
        "requested": to_text(row.requested_ms),
        "completed": to_text(logged.at_ms),
        "facts": dict(facts),
        "log": logged.to_json(),
    }
    signed = vault.sign(body)
    return Certificate(body=signed["payload"], signature=signed["signature"], public_key=signed["public_key"])


def to_json(certificate: Certificate) -> str:
    """Write a certificate as canonical JSON."""
    value = {
        "body": certificate.body,
        "signature": certificate.signature,
        "public_key": certificate.public_key,
    }
    return canonical(value).decode()


def from_json(text: str) -> Certificate:
    """Read what `to_json` wrote."""
    value = json.loads(text)
    return Certificate(body=value["body"], signature=value["signature"], public_key=value["public_key"])


def verify(store: Store, vault: Vault, certificate: Mapping[str, Any]) -> Verification:
    """Check a certificate: signature, facts, log proof, the log's entry, and that the person is not back."""
    body = certificate.get("body")
    parts = {"payload": body, "signature": certificate.get("signature"), "public_key": certificate.get("public_key")}
    if (
        not isinstance(body, Mapping)
        or not verify_signed(parts, vault.signer.public_key)
        or body.get("format") != FORMAT
    ):
        found = "not signed by this store's key, or altered"
        return Verification(holds=False, checks=(Check("signature", holds=False, found=found),))
    logged = Proven.from_json(body["log"])
    checks = [Check("signature", holds=True, found="signed by this store's key"), *_own_checks(vault, body, logged)]
    with store.read() as session:
        checks += _store_checks(session, body, logged)
    return Verification(holds=all(check.holds for check in checks), checks=tuple(checks))


def _own_checks(vault: Vault, body: Mapping[str, Any], logged: Proven) -> list[Check]:
    """Check the certificate by itself: its facts are those of the log's entry, and a checkpoint covers them."""
    same = logged.detail() == {"erasure": body["erasure"], "facts": facts_digest(body["facts"])}
    proven = logged.holds(vault.signer.public_key)
    place = f"entry {logged.proof.index} of {logged.proof.size}"
    return [
        Check("facts", holds=same, found="as the log took them in" if same else "not those that the log took in"),
        Check("log proof", holds=proven, found=place if proven else "does not lead to the signed checkpoint"),
    ]


def _store_checks(session: Session, body: Mapping[str, Any], logged: Proven) -> list[Check]:
    """Check the store: the log still has the entry, and no row has the erased person's random id."""
    row = log.leaf(session, logged.proof.index)
    kept = row is not None and leaf_of(row.at_ms, row.kind, row.leaf) == logged.proof.leaf
    found = sum(people.traces(session, bytes.fromhex(body["person"])).values())
    found_at = f"entry {logged.proof.index} stands"
    return [
        Check(
            "log continues", holds=kept, found=found_at if kept else "the log was altered, or restored from a backup"
        ),
        Check("not back", holds=not found, found=f"{found} rows name the person"),
    ]
