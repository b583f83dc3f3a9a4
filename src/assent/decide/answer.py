"""An answer: its items with their reasons, its JSON, and the row that has to be written before it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from assent.store.topics.decisions import DecisionRow
    from assent.terms.answers.decisions import Decision

_pack = msgspec.msgpack.Encoder().encode
#: The beginning of a decision without id and moment in JSON.
_BLANK = b'{"decision_id":"","at":""'


class Told:
    """Step 7's result: an answer but for its id and moment, which no two have in common; its JSON is written once."""

    __slots__ = ("_note", "_propensity", "_tail", "decision")

    def __init__(self, decision: Decision) -> None:
        """Hold an answer whose id and moment are blank."""
        self.decision = decision
        self._tail: bytes | None = None
        self._note = b""
        self._propensity: float | None = None

    def as_decision(self, decision_id: str, at: str) -> Decision:
        """Return it under an id and a moment."""
        return replace(self.decision, decision_id=decision_id, at=at)

    def note(self, propensity: float) -> bytes:
        """Return the record of it as MessagePack: the list, its method, and the probability with which it was shown."""
        if propensity != self._propensity:
            told = self.decision
            shown = [(each.item, each.rank) for each in told.items]
            self._note = _pack({"items": shown, "method": told.method, "slot": told.slot, "propensity": propensity})
            self._propensity = propensity
        return self._note

    def as_json(self, decision_id: str, at: str) -> bytes:
        """Return what JSON has of `as_decision`; id and moment are texts that JSON need not escape."""
        if self._tail is None:
            # Both are blank, and come first in it.
            self._tail = msgspec.json.encode(self.decision)[len(_BLANK) :]
        return b'{"decision_id":"%b","at":"%b"%b' % (decision_id.encode(), at.encode(), self._tail)


@dataclass(slots=True)
class Answer:
    """One answered question: its id and moment, what is told, and the row to be written before it is given."""

    decision_id: str
    at: str
    told: Told
    recorded: DecisionRow

    @property
    def decision(self) -> Decision:
        """The answer itself."""
        return self.told.as_decision(self.decision_id, self.at)

    def json(self) -> bytes:
        """Return the answer as JSON."""
        return self.told.as_json(self.decision_id, self.at)
