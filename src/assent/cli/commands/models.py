"""`assent train`: the models, learned from everybody who says yes."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples
from assent.cli.screen import took


@click.command(
    short_help="Learn from everybody who says yes",
    epilog=examples(
        "assent train", "assent train --rebuild", "assent train --spark spark://master:7077", "assent train --json"
    ),
)
@click.option("--rebuild", is_flag=True, help="Add everybody up anew instead of changing the sum by the differences.")
@click.option(
    "--spark",
    metavar="MASTER_URL",
    help="Have Spark read all histories and add everybody up: local[2], spark://HOST:PORT, yarn or k8s://...",
)
@context_options
def train(context: CommandContext, *, rebuild: bool, spark: str | None) -> None:
    """Learn from everybody who says yes to `learn` now, and take out whoever no longer does."""
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
