"""The `assent` command: one group that collects what each file of `commands` offers."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from itertools import chain, repeat

import click

from assent import __version__
from assent.cli import commands
from assent.cli.context import examples

#: The place of a command that states none: after all that do, in the order of their names.
LAST = 1_000


class InOrder(click.Group):
    """A group that lists its commands in the order a newcomer needs them, not by letter."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return the command names as they were added."""
        return list(self.commands)


def every_command() -> list[click.Command]:
    """Return the `COMMANDS` of every file of `commands`, by the places that its `ORDER` gives them, one for each."""
    placed: list[tuple[int, str, click.Command]] = []
    for file in pkgutil.iter_modules(commands.__path__, f"{commands.__name__}."):
        module = import_module(file.name)
        places = chain(getattr(module, "ORDER", ()), repeat(LAST))
        placed += [(place, command.name, command) for command, place in zip(module.COMMANDS, places, strict=False)]
    return [command for _, _, command in sorted(placed, key=lambda each: each[:2])]


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("assent demo --once", "assent init", "assent serve", "assent COMMAND --help")
    + "\n\nExit codes: 0 done, 1 the act failed or a check does not hold, 2 the command was not understood.",
)
@click.version_option(__version__, prog_name="assent")
def main() -> None:
    """Personalization by consent: recommendations people agreed to, can read the reasons of, and can leave."""


for _command in every_command():
    main.add_command(_command)
