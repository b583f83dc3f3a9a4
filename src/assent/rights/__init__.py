"""See, carry away, withdraw, erase: what a person may ask for, carried through to the end and proven."""

from assent.rights.choices import Choice, Choices
from assent.rights.retention import Retention
from assent.rights.rights import Rights
from assent.rights.rooms import RightsRooms

__all__ = ["Choice", "Choices", "Retention", "Rights", "RightsRooms"]
