"""Which role of API key may do what, collected from the acts of every capability."""

from __future__ import annotations

from assent.engine.acts import ROLE_NAMES
from assent.engine.capabilities import ACTS

#: Role to the names of its acts; whatever is not named is refused.
ROLES: dict[str, frozenset[str]] = {
    role: frozenset(act.name for act in ACTS if role in act.roles) for role in ROLE_NAMES
}
