"""The roles of API keys with the acts that each may do, collected from every capability."""

from __future__ import annotations

from assent.engine.acts import ROLE_NAMES
from assent.engine.capabilities import ACTS

#: Role to the names of its acts; every other act is refused.
ROLES: dict[str, frozenset[str]] = {
    role: frozenset(act.name for act in ACTS if role in act.roles) for role in ROLE_NAMES
}
