"""`engine.people`: one person's consents, export and erasure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assent.engine.acts import Act
from assent.rights import ConsentChoice
from assent.terms.answers.people import Receipt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assent.engine.rooms import Rooms
    from assent.terms.answers.people import Certificate, Consents, Export
    from assent.terms.answers.proofs import Verification

ACTS = (
    Act.of("consent", "server", "officer"),
    Act.of("people", "server", "officer"),
    Act.of("erase", "server", "officer"),
)


class PeopleActs:
    """The rights of people. A person is named by any of their identifiers."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def consents(self, person: str) -> Consents:
        """Return what a person agreed to, purpose by purpose, and the ledger entries behind it; raises `NotFound`."""
        return self._rooms.rights.consents(person)

    def consent(
        self,
        person: str,
        grant: Sequence[str] = (),
        withdraw: Sequence[str] = (),
        *,
        evidence: str | None = None,
        language: str | None = None,
    ) -> list[Receipt]:
        """Grant and withdraw purposes for a person, in force with the next call; return signed receipts.

        A withdrawal removes what was kept for that purpose alone from records, history and models before this
        returns. `language` is that of the notice they read, by default that of the settings. Raises
        `UnknownPurpose`, `InvalidInput`, `NotFound`, `Conflict`.
        """
        rooms = self._rooms
        taken_back = tuple(dict.fromkeys(withdraw))
        # A purpose that is named in both is withdrawn: the more careful reading.
        agreed = tuple(each for each in dict.fromkeys(grant) if each not in taken_back)
        choice = ConsentChoice(person, agreed, taken_back, evidence, language or rooms.settings.language)
        receipts = rooms.store.write(lambda session: rooms.choices.choose(session, choice))
        rooms.acts.add("consent")
        return [Receipt(**each) for each in receipts]

    def export(self, person: str) -> Export:
        """Return all data about a person; raises `NotFound`."""
        self._rooms.acts.add("export")
        return self._rooms.rights.export(person)

    def erase(self, person: str) -> Certificate:
        """Erase a person from rows, keys, caches and models; return the signed certificate. Raises `NotFound`.

        When this returns nothing is left. The next opening of the store finishes an erasure that was interrupted.
        """
        certificate = self._rooms.rights.erase(person)
        self._rooms.acts.add("erase")
        return certificate

    def verify_certificate(self, certificate: Mapping[str, Any]) -> Verification:
        """Check a certificate of erasure: its signature, its log proof, and that the person is not back."""
        return self._rooms.rights.verify_certificate(certificate)
