"""`assent purposes`: the purposes that people can agree to."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples


@click.command(
    short_help="List the purposes that people can agree to",
    epilog=examples("assent purposes", "assent purposes --json"),
)
@context_options
def purposes(context: CommandContext) -> None:
    """List the purposes that people can agree to. With --json, the texts of their notices as well."""
    with context.open() as engine:
        declared = engine.purposes.all()
    if context.screen.as_json:
        context.screen.data({"purposes": declared})
        return
    rows = [
        (each.id, each.title, "yes" if each.optional else "no", f"{each.retention_days:,} days at most")
        for each in declared
    ]
    context.screen.table(("Purpose", "Title", "Optional", "Kept"), rows)


COMMANDS, ORDER = (purposes,), (80,)
