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
        Every error has a code, a status and advice on what to do. In Python it is an exception, imported from
        `assent`; its `message` says what is wrong, its `advice` what to do. On the command line it ends the command
        with exit code 1, and `--json` prints code, message and advice. Over HTTP it is a problem detail (RFC 9457)
        whose `code` is the heading below. The advice below is the usual one; where more is known, the error says more.
        A refusal by consent is a value, never an error. No error carries personal data.
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
        The bounds that a caller can meet. Input over a bound is refused, or dropped and counted; a wait over a bound
        ends with an error. Some bounds only say how much is read or kept: a history keeps its newest
        entries. The bounds are part of the program and cannot be set.
        """,
        [
            table(
                ("Limit", "Value", "Unit", "Reason"),
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
        An operator sets a few things, each of which has a safe default. They are read from environment variables; in
        Python `Engine.open(settings=Settings(...))` gives them instead. Two more variables stand for options of the
        commands: `ASSENT_STORE` for `--store` and `ASSENT_KEY_FILE` for `--keys`.
        """,
        (
            f"## `{each.name}`\n\n{said[each.name]}\n\n"
            f"Variable `ASSENT_{each.name.upper()}`; default {code(str(each.default)) if each.default else 'empty'}."
            for each in fields(Settings)
        ),
    )


def said_of_settings() -> dict[str, str]:
    """Return the description of each setting: the `#:` comment right above it in the source."""
    said: dict[str, str] = {}
    above: list[str] = []
    for line in map(str.strip, getsource(Settings).splitlines()):
        if line.startswith("#:"):
            above.append(line.removeprefix("#:").strip())
        else:
            said[line.partition(":")[0]] = " ".join(above)
            above = []
    return said
