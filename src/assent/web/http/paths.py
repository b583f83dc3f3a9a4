"""Names in paths: they are lifted out before the framework sees a path, so that none reaches a log or an error."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from litestar.types import HTTPScope, Scope

from assent.terms.errors import InvalidInput

#: Replaces a name in a path.
PLACEHOLDER = "-"
_STATE_NAME = "name_in_path"


class PathNames:
    """The places of names in the paths of an application: of a person, an item, a write key.

    `templates` are the paths of its operations. One without a parameter is served as it stands.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        paths = set(templates)
        before = {path.partition("{")[0] for path in paths if "{" in path}
        longest_first = sorted(map(re.escape, before), key=len, reverse=True)
        self._literal = frozenset(path for path in paths if "{" not in path)
        self._named = re.compile(f"({'|'.join(longest_first) or '(?!)'})([^/]+)(.*)", re.DOTALL)

    def lift(self, scope: HTTPScope) -> None:
        """Take the name out of the path and keep it aside, decoded once; raises `InvalidInput` unless it is UTF-8.

        So a name may hold any character, an encoded slash too, and none stays behind in a cache of routes.
        """
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("latin-1").partition("?")[0]
        if "//" in path:
            scope["path"] = "/" + PLACEHOLDER * 2  # no such route
            return
        match = None if path in self._literal else self._named.fullmatch(path)
        if match is None:
            scope["path"] = path
            return
        before, name, after = match.groups()
        scope["path"] = before + PLACEHOLDER + after
        scope["raw_path"] = scope["path"].encode()
        try:
            scope["state"][_STATE_NAME] = unquote(name, errors="strict")
        except UnicodeDecodeError:
            raise InvalidInput("A name in the path is not UTF-8.", advice="Percent-encode it as UTF-8.") from None


def name_in_path(scope: Scope) -> str:
    """Return the name that `PathNames.lift` took out of the path."""
    name: str = scope["state"][_STATE_NAME]
    return name
