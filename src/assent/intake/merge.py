"""The merge of two people: the records of one, sealed under the other's key, purpose by purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from assent.store.topics import meta, records
from assent.store.topics.records import RecordRow
from assent.vault import limited, pack, purposes_of

if TYPE_CHECKING:
    from assent.store import Session
    from assent.vault import PersonKey, Vault

_encode = msgspec.msgpack.Encoder().encode


def moved_record(
    session: Session, vault: Vault, source: PersonKey, target: PersonKey, allowed: int, now_ms: int
) -> RecordRow | None:
    """Return one record with all data of `source` that the purpose bits `allowed` permit, sealed for `target`.

    Returns None when nothing may be kept. The folded history becomes the record's trail.
    """
    history = limited(vault.export_history(session, source), allowed)
    kept = [
        {**opened.event, "purposes": opened.purposes & allowed}
        for opened in vault.export_records(session, source)
        if opened.purposes & allowed and isinstance(opened.event, dict)
    ]
    mask = int(np.bitwise_or.reduce(purposes_of(history), initial=0))
    for event in kept:
        mask |= event["purposes"]
    if not mask:
        return None
    seq = meta.allocate(session, records.SEQUENCE)
    sealed = target.seal("records", seq, _encode(kept))
    trail = target.seal("trails", seq, pack(history)) if len(history) else None
    return RecordRow(seq, target.person, now_ms, mask, sealed, trail)
