"""`assent decide`: one list, with its reasons."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples
from assent.cli.views.answers import print_decision


@click.command(
    short_help="Choose items for one place on a page, with reasons",
    epilog=examples(
        "assent decide",
        "assent decide ana@example.com --count 5",
        "assent decide user_id:4711 --slot basket --item KET-1 --exclude KET-2,KET-3",
        "assent decide user_id:4711 --mode non_profiled --json",
    ),
)
@click.argument("person", required=False)
@click.option("--slot", default="home", show_default=True, help="The place on the page that shows the list.")
@click.option("--count", default=10, show_default=True, type=int, help="How many items.")
@click.option("--item", metavar="ID", help="The item on the page, if there is one.")
@click.option("--exclude", default="", metavar="IDS", help="Items that must not appear, with commas between them.")
@click.option("--mode", default="personal", show_default=True, help="personal, or non_profiled, which uses no history.")
@click.option("--include-bought", is_flag=True, help="Show again what the person bought already.")
@click.option("--gpc", is_flag=True, help="Answer as for a browser that sends Sec-GPC: 1.")
@click.option("--language", metavar="TAG", help="The language of the answer, such as de; by default ASSENT_LANGUAGE.")
@context_options
def decide(
    context: CommandContext,
    *,
    person: str | None,
    slot: str,
    count: int,
    item: str | None,
    exclude: str,
    mode: str,
    include_bought: bool,
    gpc: bool,
    language: str | None,
) -> None:
    """Choose items for one place on a page, for PERSON or for an unknown visitor, and say why each is there.

    PERSON is any name the shop knows them by: a user id, an anonymous id, an e-mail address, or KIND:NAME.
    """
    excluded = tuple(part.strip() for part in exclude.split(",") if part.strip())
    with context.open() as engine, context.screen.busy("Choosing"):
        decision = engine.decide(
            person,
            slot=slot,
            count=count,
            context={"item": item} if item else None,
            mode=mode,
            exclude=excluded,
            include_bought=include_bought,
            gpc=gpc,
            language=language,
        )
    if context.screen.as_json:
        context.screen.data(decision)
        return
    print_decision(context.screen, decision)


COMMANDS, ORDER = (decide,), (70,)
