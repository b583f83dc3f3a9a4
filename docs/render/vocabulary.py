"""Pages made from the terms: errors, limits, settings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from inspect import getsource

from assent.terms.errors import AssentError
from assent.terms.limits import LIMITS
from assent.terms.settings import Settings
from docs.render.markdown import code, first_paragraph, page, table


def every_error() -> Iterator[type[AssentError]]:
    """Yield every error of the tree, in the order in which they are written down."""
    waiting = AssentError.__subclasses__()
    while waiting:
        each = waiting.pop(0)
        yield each
        waiting = each.__subclasses__() + waiting


def errors() -> str:
    """Return the page of errors."""
    return page(
        "Errors",
        """
        Every error has a code, a status and advice. In Python it is an exception of `assent.terms.errors`; on the
        command line it ends the command with exit code 1 and the advice; over HTTP it is a problem detail (RFC
        9457) whose `code` is the heading below. A refusal by consent is a value, never an error. No error carries
        personal data.
        """,
        (
            f"## `{each.code}`\n\n**{each.title}.** {first_paragraph(each.__doc__)}\n\n"
            f"HTTP {each.status}, `{each.__name__}`. *What to do:* {each.default_advice}"
            for each in every_error()
        ),
    )


def limits() -> str:
    """Return the page of limits."""
    return page(
        "Limits",
        """
        These are the bounds that a caller can meet. What is over one is refused, or dropped and counted. One bound
        keeps the newest instead: of a history, entries past `history_entries_max` are dropped, oldest first.
        """,
        [
            table(
                ("Limit", "Value", "Unit", "Why it stands there"),
                ([code(row.name), f"{row.default:,}", row.unit, row.why] for row in LIMITS.values()),
            )
        ],
    )


def settings() -> str:
    """Return the page of settings."""
    said = said_of_settings()
    return page(
        "Settings",
        """
        What an operator sets: few things, each with a safe default. From Python they are the fields of `Settings`,
        given to `Engine.open(settings=...)`; the command line and the server read them from the environment.
        """,
        (
            f"## `{each.name}`\n\n{said[each.name]}\n\n"
            f"In the environment `ASSENT_{each.name.upper()}`; otherwise `{each.default}`."
            for each in fields(Settings)
        ),
    )


def said_of_settings() -> dict[str, str]:
    """Return what the source says of each setting: the `#:` comment right above it."""
    said: dict[str, str] = {}
    above: list[str] = []
    for line in map(str.strip, getsource(Settings).splitlines()):
        if line.startswith("#:"):
            above.append(line.removeprefix("#:").strip())
        else:
            said[line.partition(":")[0]] = " ".join(above)
            above = []
    return said
