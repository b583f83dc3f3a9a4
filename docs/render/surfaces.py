"""Pages made from the surfaces: commands from the command group, routes from the operations that the server has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_type_hints

import click
from click.testing import CliRunner

from assent.cli import main
from assent.engine import ROLES
from assent.web.app import OPERATIONS
from assent.web.http.operation import Described, Operation
from docs.render.markdown import code, codes, page, section, table


def commands() -> str:
    """Return the page of commands, each with the help that it prints itself."""
    return page(
        "Commands",
        """
        `assent COMMAND --help` prints the same. Where a program may read the answer there is `--json`. Exit codes:
        0 done, 1 the act failed or a check does not hold, 2 the command was not understood.
        """,
        (f"## `{' '.join(path)}`\n\n```text\n{_help(path)}\n```" for path, _ in every_command()),
    )


def every_command() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command with the words that call it, in the order that the help lists them."""
    waiting: list[tuple[tuple[str, ...], click.Command]] = [(("assent",), main)]
    while waiting:
        path, command = waiting.pop(0)
        yield path, command
        if isinstance(command, click.Group):
            inner = command.list_commands(click.Context(command))
            waiting = [((*path, name), command.commands[name]) for name in inner] + waiting


def _help(path: tuple[str, ...]) -> str:
    told = CliRunner().invoke(main, [*path[1:], "--help"], prog_name=path[0], terminal_width=100)
    return "\n".join(line.rstrip() for line in told.output.splitlines())


def routes() -> str:
    """Return the page of routes, capability by capability."""
    parts = [_roles()]
    for tag, operations in OPERATIONS.items():
        parts.append(f"## {tag.name.capitalize()}")
        alike: dict[tuple[str, str], list[Operation]] = {}
        for operation in operations:
            alike.setdefault((operation.method, operation.summary), []).append(operation)
        parts += map(_route, alike.values())
    return page(
        "HTTP",
        """
        `GET /openapi.json` describes the same for programs, field by field. Keys go in `Authorization: Bearer KEY`;
        the tracking routes also take a write key as the user name of Basic authentication or as `writeKey` in the
        body. Every error is a problem detail (RFC 9457) with a `code` of [errors](errors.md).
        """,
        parts,
    )


def _roles() -> str:
    rows = ([code(role), codes(sorted(acts))] for role, acts in ROLES.items())
    return (
        section("Roles", "A key has one role; what is not named is refused.") + "\n\n" + table(("Role", "Acts"), rows)
    )


def _route(alike: list[Operation]) -> str:
    """Say what a route is for, who may use it, and what goes in and out; routes that do the same share a heading."""
    operation = alike[0]
    roles = [role for role, acts in ROLES.items() if operation.act in acts]
    facts = [("Who", "anybody" if operation.public else f"keys of {codes(roles)}")]
    if operation.query is not None:
        facts.append(("Query", _shape(operation.query)))
    if operation.body is not None:
        facts.append(("Body", _shape(operation.body)))
    answer = "nothing" if operation.answer is None else _shape(operation.answer, operation.media)
    facts.append(("Answer", f"{operation.status}, {answer}"))
    if operation.errors:
        facts.append(("Errors", ", ".join(f"[`{each.code}`](errors.md#{each.code})" for each in operation.errors)))
    heading = "### " + codes(f"{each.method} {each.path}" for each in alike)
    return f"{heading}\n\n{operation.summary}\n\n" + table(("", ""), facts)


def _shape(shape: type[Any] | Described, media: str = "application/json") -> str:
    """Say a shape in one line: the names of its fields, or the word for what has no fields of its own."""
    if isinstance(shape, Described):
        return shape.word
    fields = get_type_hints(shape)
    return f"an object with {codes(fields)}" if fields else code(media.partition(";")[0])
