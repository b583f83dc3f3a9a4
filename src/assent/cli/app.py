"""The `assent` command: one group, every act of the engine under its own name."""

from __future__ import annotations

import click

from assent import __version__
from assent.cli.commands.bench import bench
from assent.cli.commands.demo import demo
from assent.cli.commands.import_ import import_
from assent.cli.commands.people import consent, erase, export
from assent.cli.commands.serve import serve
from assent.cli.commands.setup import doctor, init
from assent.cli.commands.train import decide, train
from assent.cli.commands.verify import verify
from assent.cli.context import examples

COMMANDS = (init, demo, serve, import_, train, decide, consent, export, erase, verify, bench, doctor)


class InOrder(click.Group):
    """A group that lists its commands in the order a newcomer needs them, not by letter."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's own signature
        """Return the command names as they were added."""
        return list(self.commands)


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("assent demo --once", "assent init", "assent serve", "assent COMMAND --help")
    + "\n\nExit codes: 0 done, 1 the act failed or a check does not hold, 2 the command was not understood.",
)
@click.version_option(__version__, prog_name="assent")
def main() -> None:
    """Personalization by consent: recommendations people agreed to, can read the reasons of, and can leave."""


for _command in COMMANDS:
    main.add_command(_command)
