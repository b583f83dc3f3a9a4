"""Who was asked for lately, and what their history tells: kept open in memory for as long as nothing changed."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np

from assent.learn import taste
from assent.store.topics import people
from assent.terms.events import ACTION_BY_CODE, BOUGHT
from assent.terms.ids import identifiers_named
from assent.terms.limits import limit
from assent.terms.purposes import Personalize
from assent.vault import no_history

if TYPE_CHECKING:
    from collections.abc import Hashable
    from weakref import ReferenceType

    from numpy.typing import NDArray

    from assent.catalog import CatalogView
    from assent.consent import Ledger, State
    from assent.models.recommender import SolvedModel
    from assent.store import Session
    from assent.store.topics.versions import Versions
    from assent.terms.answers import Decision, Suggestion
    from assent.terms.ids import PersonId
    from assent.terms.permits import Permit
    from assent.vault import HeldHistory, PersonKey, Vault

#: What a choice depends on beside tastes and question: catalogue, model, and the version of its sum. A choice that is
#: kept must not keep a model: another may have taken its place because somebody left.
World: TypeAlias = "tuple[CatalogView, ReferenceType[SolvedModel] | None, int]"

_pack = msgspec.msgpack.Encoder().encode
#: How a decision without id and moment begins in JSON.
_BLANK = b'{"decision_id":"","at":""'

#: How many different questions are kept for one person: the slots of a page or two.
CHOICES_MAX = 8


@dataclass(slots=True)
class Chosen:
    """What steps 2 to 7 chose, best first with the reasons, and how many of them the score chose."""

    items: tuple[Suggestion, ...]
    personal: int
    #: How it was told last, and what of the question and its refusal that depended on.
    told: Told | None = None
    told_for: Hashable = None


class Told:
    """An answer but for its id and moment, which no two have in common: written once, however often it is given."""

    __slots__ = ("_tail", "decision", "note")

    def __init__(self, decision: Decision) -> None:
        """Hold an answer whose id and moment are blank."""
        self.decision = decision
        #: What is recorded of it, as MessagePack.
        shown = [(each.item, each.rank) for each in decision.items]
        self.note = _pack({"items": shown, "method": decision.method, "slot": decision.slot, "propensity": 1.0})
        self._tail: bytes | None = None

    def as_decision(self, decision_id: str, at: str) -> Decision:
        """Return it under an id and a moment."""
        return replace(self.decision, decision_id=decision_id, at=at)

    def as_json(self, decision_id: str, at: str) -> bytes:
        """Return what JSON has of `as_decision`; id and moment are texts that JSON need not escape."""
        if self._tail is None:
            # Both are blank, and come first in it.
            self._tail = msgspec.json.encode(self.decision)[len(_BLANK) :]
        return b'{"decision_id":"%b","at":"%b"%b' % (decision_id.encode(), at.encode(), self._tail)


class Tastes:
    """What one history tells, worked out once: it is the same for every question until the history changes.

    It also keeps the last few choices made from it: the same question, while catalogue and model stand, has the same
    answer, and a page asks for its slots again and again.
    """

    def __init__(self, history: NDArray[np.void]) -> None:
        """Read a history (HISTORY dtype) that a permit opened."""
        #: The acts themselves, oldest first.
        self.history = history
        #: The items to score from, int32, ascending, and how fresh each of them is, int32, from 1 to 4.
        self.inputs, self.values = taste(history)
        #: The last of them: past it a model needs no columns.
        self.last = int(self.inputs[-1]) if len(self.inputs) else -1
        #: The items bought before, each once.
        self.bought = np.unique(history["item"][history["action"] == BOUGHT]).astype(np.intp)
        self._world: World | None = None
        self._choices: dict[Hashable, Chosen] = {}

    @cached_property
    def verbs(self) -> dict[int, str]:
        """For each item the weightiest thing the person did with it, in words."""
        order = np.argsort(self.history["action"], kind="stable")
        acts = zip(self.history["item"][order].tolist(), self.history["action"][order].tolist(), strict=True)
        return {item: ACTION_BY_CODE[action].verb for item, action in acts}

    def choice(self, world: World, question: Hashable) -> Chosen | None:
        """Return what was chosen for the same question in the same world, if that is still known."""
        if self._world != world:
            self._world = world
            self._choices.clear()
        return self._choices.get(question)

    def keep(self, question: Hashable, chosen: Chosen) -> None:
        """Keep what was chosen in the world that `choice` was asked about."""
        if len(self._choices) >= CHOICES_MAX:
            self._choices.clear()
        self._choices[question] = chosen


@dataclass(slots=True)
class KnownPerson:
    """One person as deciding needs them; good while the store's epoch is the one they were read at."""

    epoch: int
    person: PersonId
    status: str
    key: PersonKey | None
    #: What the ledger says of the purpose that deciding needs.
    said: State | None
    held: HeldHistory | None = None
    tastes: Tastes | None = None


class KnownPeople:
    """The people asked for lately, by the name they were asked for. Call it under one lock.

    Opened histories stay in memory, but only a permit minted for this very question gives them out, checked by the
    vault each time; whatever changes consents, keys or names raises the epoch, and what was read before is read anew.
    """

    def __init__(self, vault: Vault, ledger: Ledger) -> None:
        """Know nobody."""
        #: What is known of everybody whose history may not be used.
        self.nobody = Tastes(no_history())
        self._vault = vault
        self._ledger = ledger
        self._by_name: OrderedDict[str, KnownPerson] = OrderedDict()
        self._erasures = 0

    def forget(self) -> None:
        """Forget everybody, opened histories and keys too."""
        self._by_name.clear()
        self.nobody = Tastes(no_history())
        self._vault.clear()

    def follow(self, versions: Versions) -> None:
        """Forget everybody when somebody was erased since, by whatever process."""
        if versions.erasures != self._erasures:
            self.forget()
            self._erasures = versions.erasures

    def find(self, session: Session, name: str, versions: Versions) -> KnownPerson | None:
        """Return the person of a name, None for nobody; raises `InvalidInput` for what is no name."""
        known = self._by_name.get(name)
        if known is not None and known.epoch == versions.epoch:
            self._by_name.move_to_end(name)
            return known
        blinds = self._vault.blinds(identifiers_named(name))
        row = people.load(session, blinds)
        if row is None:
            return None
        key = self._vault.key(row.person, row.wrapped, row.key_id) if row.wrapped is not None else None
        said = self._ledger.state(session, row.person, Personalize)
        known = KnownPerson(versions.epoch, row.person, row.state, key, said)
        # A bare name may come to mean somebody else once a weightier kind of identifier has it.
        if len(blinds) == 1 or people.find(session, blinds[:1]) is not None:
            self._by_name[name] = known
            self._by_name.move_to_end(name)
            if len(self._by_name) > limit("known_people_max"):
                self._by_name.popitem(last=False)
        return known

    def tastes(self, session: Session, known: KnownPerson, permit: Permit[Personalize], versions: Versions) -> Tastes:
        """Return what the person's history tells, under a permit; raises `PermitNeeded`, `Corrupt`."""
        key = known.key
        if key is None:
            return self.nobody
        held = self._vault.hold_history(session, permit, key, known.held, versions.records)
        if known.tastes is None or held.serving is not known.tastes.history:
            known.tastes = Tastes(held.serving)
        known.held = held
        return known.tastes
