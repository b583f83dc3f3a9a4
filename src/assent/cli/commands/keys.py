"""`assent keys`: the API keys of programs."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples


@click.group(short_help="Make API keys for programs")
def keys() -> None:
    """Make API keys. Each has one role, and the store keeps no more than its digest."""


@keys.command(
    short_help="Make a key and show it once",
    epilog=examples(
        'assent keys make --role server --label "web shop"',
        "assent keys make --role monitor --label prometheus --json",
    ),
)
@click.option("--role", required=True, metavar="ROLE", help="What it may do: browser, server, officer or monitor.")
@click.option("--label", default="", metavar="TEXT", help="What it is for, so that you know it later.")
@context_options
def make(context: CommandContext, role: str, label: str) -> None:
    """Make an API key and show it, now and never again.

    A browser key may send events and stands open in your pages. A server key does everything a shop does. An officer
    key looks after people's rights. A monitor key reads counts.
    """
    with context.open() as engine:
        key = engine.keys.make(role, label)
    if context.screen.as_json:
        context.screen.data({"key": key, "role": role, "label": label})
        return
    context.screen.say(f"A {role} key, shown now and never again:")
    context.screen.whole(f"  {key}")


COMMANDS, ORDER = (keys,), (130,)
