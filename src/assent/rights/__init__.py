"""The rights of a person: see, carry away, withdraw and erase, each carried through to the end and proven."""

from assent.rights.choices import Choices, ConsentChoice
from assent.rights.retention import Retention
from assent.rights.rights import Rights
from assent.rights.rooms import RightsRooms

__all__ = ["Choices", "ConsentChoice", "Retention", "Rights", "RightsRooms"]
