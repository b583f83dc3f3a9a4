"""Which role of API key may do what; whatever is not named is refused."""

#: Role to acts.
ROLES: dict[str, frozenset[str]] = {
    "browser": frozenset({"take_in"}),
    "server": frozenset({"take_in", "decide", "items", "consent", "people", "erase", "metrics"}),
    "officer": frozenset({"consent", "people", "erase", "metrics"}),
    "monitor": frozenset({"metrics"}),
}
