"""The rights of a person: see, carry away, withdraw and erase, each carried through to the end and proven."""

from assent.rights.choices import Choice, Choices
from assent.rights.retention import Retention
from assent.rights.rights import Rights
from assent.rights.rooms import RightsRooms

__all__ = ["Choice", "Choices", "Retention", "Rights", "RightsRooms"]
