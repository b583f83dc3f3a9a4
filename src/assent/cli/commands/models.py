"""`assent train`: the models, learned from all who agreed to `learn`."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples
from assent.cli.screen import took


@click.command(
    short_help="Learn from all who agreed",
    epilog=examples(
        "assent train", "assent train --rebuild", "assent train --spark spark://master:7077", "assent train --json"
    ),
)
@click.option("--rebuild", is_flag=True, help="Add up all people anew instead of applying the differences.")
@click.option(
    "--spark",
    metavar="MASTER_URL",
    help="Let Spark read and add up all histories: local[2], spark://HOST:PORT, yarn or k8s://...",
)
@context_options
def train(context: CommandContext, *, rebuild: bool, spark: str | None) -> None:
    """Learn from all who agreed to `learn`, and take out those who no longer do."""
    with context.open() as engine, context.screen.busy("Learning"):
        report = engine.train(rebuild=rebuild, spark=spark)
    if context.screen.as_json:
        context.screen.data(report)
        return
    context.screen.heading(f"Learned from {report.people:,} people in {took(report.seconds)}.")
    context.screen.pairs(
        [
            ("People added or changed", f"{report.added:,}"),
            ("People taken out", f"{report.removed:,}"),
            ("Items", f"{report.items:,}"),
            ("Version", f"{report.version}{' (added up anew)' if report.rebuilt else ''}"),
        ]
    )
    context.screen.say("  Digest of the sum")
    context.screen.say(f"    {report.digest}")


COMMANDS, ORDER = (train,), (60,)
