"""Verification of the audit log: one pass over the leaves rebuilds the tree, and every claim is compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assent.store.topics import log, meta, people
from assent.terms.answers.proofs import Check
from assent.terms.errors import AssentError
from assent.terms.ids import PersonId
from assent.vault import notes
from assent.vault.entries import FRONTIER, leaf_of, open_entry
from assent.vault.tree import Frontier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.store import Session
    from assent.store.topics.log import LeafRow
    from assent.vault.seals import PersonKey
    from assent.vault.vault import Vault

PAGE_ROWS = 10_000


def verify_log(session: Session, vault: Vault) -> list[Check]:
    """Check entries, tree and checkpoints of the log; a part that cannot be read is a check that fails."""
    try:
        signed, bad_notes = _signed(session, vault)
        frontier, roots, bad_entries = _walk(session, vault, set(signed))
        stored = Frontier.from_text(meta.get(session, FRONTIER))
    except AssentError as error:
        return [Check("log", holds=False, found=error.message)]
    wrong = sum(roots.get(size) != root for size, root in signed.items())
    whole = frontier.size == max(signed, default=0) == stored.size and frontier.nodes == stored.nodes
    size, notes_count = frontier.size, len(signed) + bad_notes
    return [
        _check("log entries", f"{size} entries", bad_entries and f"{bad_entries} of {size} altered"),
        _check("log checkpoints", f"{notes_count} signed", bad_notes and f"{bad_notes} of {notes_count} altered"),
        _check("log tree", frontier.root().hex()[:16], wrong and f"{wrong} roots differ"),
        _check("log is whole", f"{size} leaves", not whole and "its end is missing or was altered"),
    ]


def _check(name: str, found: str, wrong: str | int) -> Check:
    return Check(name, holds=not wrong, found=str(wrong or found))


def _signed(session: Session, vault: Vault) -> tuple[dict[int, bytes], int]:
    """Return the root that each intact checkpoint states, by size, and how many are not intact."""
    signed: dict[int, bytes] = {}
    bad = 0
    for size, root, note in log.checkpoints(session):
        try:
            checkpoint = notes.open_checkpoint(note, vault.signer.public_key)
        except AssentError:
            bad += 1
            continue
        if (checkpoint.size, checkpoint.root) == (size, root):
            signed[size] = root
        else:
            bad += 1
    return signed, bad


def _walk(session: Session, vault: Vault, sizes: set[int]) -> tuple[Frontier, dict[int, bytes], int]:
    """Return the tree over all leaves, its root at each of `sizes`, and how many rows do not match their hash."""
    frontier = Frontier()
    roots = {}
    bad = 0
    start = 0
    while rows := log.leaves(session, start, start + PAGE_ROWS):
        start += PAGE_ROWS
        keys = {person: _key(session, vault, person) for person in {row.person for row in rows} if person is not None}
        for row in rows:
            bad += row.idx != frontier.size or not _matches(row, keys)
            frontier.append(leaf_of(row.at_ms, row.kind, row.leaf))
            if frontier.size in sizes:
                roots[frontier.size] = frontier.root()
    return frontier, roots, bad


def _key(session: Session, vault: Vault, person: bytes) -> PersonKey | None:
    """Return a person's key, None when it is destroyed or does not unwrap."""
    try:
        return vault.key(PersonId(person), *(people.key(session, person) or (None, None)))
    except AssentError:
        return None


def _matches(row: LeafRow, keys: Mapping[bytes, PersonKey | None]) -> bool:
    """Tell whether a row's entry matches its hash; an erased person's row has no entry any more, and no person."""
    if row.person is None and row.detail is None:
        return True
    key = None if row.person is None else keys[row.person]
    if row.person is not None and key is None:
        return False
    try:
        open_entry(row, key)
    except AssentError:
        return False
    return True
