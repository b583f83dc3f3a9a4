"""One model's sum for the keeper: its rows in the store, and the server of its solved model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assent.learn.stored_sums import counts_of, read_sum, write_sum
from assent.learn.training_plan import Comparison, TrainingPlan
from assent.store.topics import sums
from assent.terms.answers.proofs import Check

if TYPE_CHECKING:
    from assent.learn.registry import Kind
    from assent.learn.server import Server
    from assent.store import Session
    from assent.terms.ids import PersonId
    from assent.vault import PersonKey, Vault


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The effect of forgetting one person in one sum; digests are SHA-256 in hex, empty before the first training."""

    had_contribution: bool
    digest_before: str
    digest_after: str


class KeptSum:
    """The sum of one kind of model, changed inside the caller's transactions."""

    def __init__(self, kind: Kind, server: Server, vault: Vault) -> None:
        """Keep the sum of `kind`, served by `server`; `vault` seals the contributions."""
        self.model = kind.model
        self.name = kind.name
        self.server = server
        self._vault = vault

    def forget(self, session: Session, person: PersonId, person_key: PersonKey, now_ms: int) -> Forgotten:
        """Subtract one person's contribution, exactly as it was added; the server follows after the commit."""
        head = sums.head(session, self.name)
        if head is None:
            return Forgotten(had_contribution=False, digest_before="", digest_after="")
        sealed = sums.contribution(session, self.name, person)
        if sealed is None:
            session.after_commit(self.server.retire)
            return Forgotten(had_contribution=False, digest_before=head.digest, digest_after=head.digest)
        contribution = self.open(person_key, sealed)
        total = self._total_at(session, head)
        total.remove(contribution)
        fresh = write_sum(session, self.name, head, total, contribution.rows, now_ms, left=True)
        sums.drop_contribution(session, self.name, person)
        session.after_commit(lambda: self.server.forget(head.version, contribution))
        return Forgotten(had_contribution=True, digest_before=head.digest, digest_after=fresh.digest)

    def open(self, person_key: PersonKey, sealed: bytes) -> Any:
        """Open the stored contribution of a person; raises `Corrupt`."""
        return self.model.read_contribution(self._vault.open_contribution(person_key, self.name, sealed))

    def _total_at(self, session: Session, head: sums.HeadRow) -> Any:
        """Return a private copy of the sum at the version that `session` sees."""
        in_memory = self.server.sum()
        if in_memory is None or in_memory[1] > head.version:
            return read_sum(session, self.model, head)
        total, version = in_memory
        if version < head.version:
            total.grow(head.columns)
            rows = {number: row for number, _, row in sums.rows_after(session, self.name, version)}
            total.replace_rows(rows, counts_of(head), head.people)
        return total

    # -- training ------------------------------------------------------------------------------------------------

    def compare(self, session: Session, epoch: int, columns: int, *, rebuild: bool) -> Comparison:
        """Begin to compare people's contributions now with the stored ones."""
        head = sums.head(session, self.name)
        version = head.version if head else 0
        plan = TrainingPlan(epoch=epoch, version=version, columns=columns, rebuild=rebuild or head is None)
        stored = dict(sums.contributions(session, self.name)) if head else {}
        return Comparison(plan, stored, self.open)

    def total_after(self, session: Session, plan: TrainingPlan) -> Any:
        """Return the sum after the plan."""
        head = sums.head(session, self.name)
        if plan.rebuild or head is None:
            return self.model.sum_of(plan.everyone(), plan.columns)
        total = self._total_at(session, head)
        total.grow(plan.columns)
        for contribution in plan.leaving:
            total.remove(contribution)
        for contribution in plan.coming:
            total.add(contribution)
        return total

    def is_as_planned(self, session: Session, plan: TrainingPlan) -> bool:
        """Tell whether the sum still has the version that the plan was made for."""
        return sums.version(session, self.name) == plan.version

    def write(self, session: Session, plan: TrainingPlan, total: Any, now_ms: int) -> sums.HeadRow:
        """Write the planned sum and its contributions; return the new head."""
        head = sums.head(session, self.name)
        touched = None if plan.rebuild or head is None else plan.touched()
        fresh = write_sum(session, self.name, head, total, touched, now_ms, left=bool(plan.gone))
        for person in plan.gone:
            sums.drop_contribution(session, self.name, person)
        seal = self._vault.seal_contribution
        sealed = [(person, seal(key, self.name, each.to_bytes())) for person, key, each in plan.fresh]
        sums.put_contributions(session, self.name, sealed)
        sums.put_contributions(session, self.name, plan.sealed)
        return fresh

    # -- proof ---------------------------------------------------------------------------------------------------

    def verify(self, session: Session, label: str) -> list[Check]:
        """Check that the stored rows have the written digest; `label` follows the check's name."""
        head = sums.head(session, self.name)
        if head is None:
            return [Check("sum" + label, holds=True, found="nothing learned yet")]
        stored = read_sum(session, self.model, head, verify=False).digest()
        found = f"{head.people} people, {stored[:16]}"
        return [Check("sum digest" + label, holds=stored == head.digest, found=found)]

    def verify_rebuilt(self, session: Session, contributions: Iterable[Any], label: str) -> list[Check]:
        """Check that a fresh sum of all people's contributions has the written digest."""
        head = sums.head(session, self.name)
        if head is None:
            return []
        fresh = self.model.sum_of(contributions, head.columns).digest()
        return [Check("sum rebuilt from contributions" + label, holds=fresh == head.digest, found=fresh[:16])]
