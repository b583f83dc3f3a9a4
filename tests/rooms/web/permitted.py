"""Who may do what, as the files of `permissions/` say it: one a capability, written by hand."""

import re
from importlib import import_module
from pathlib import Path

#: One file a capability: its rows that ask for a key, and those that answer anybody.
FILES = [
    import_module(f"tests.rooms.web.permissions.{path.stem}")
    for path in sorted(Path(__file__).with_name("permissions").glob("*.py"))
]
#: Method, path, body, and the status for each of the roles, in their order.
CLOSED = [row for file in FILES for row in getattr(file, "CLOSED", ())]
#: What answers anybody: method, path, body, status.
OPEN = [row for file in FILES for row in getattr(file, "OPEN", ())]

#: The names that stand in the paths of the rows; the description of the API has a parameter there.
NAMES = {"item%200%2F0", "nothing", "nobody"}


def template(path):
    """Return a path with an empty place for each name in it, be it a row's or the description's."""
    return re.sub(r"{\w+}", "{}", "/".join("{}" if part in NAMES else part for part in path.split("/")))
