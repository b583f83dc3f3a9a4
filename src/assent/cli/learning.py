"""`assent train` learns from everybody who says yes; `assent decide` asks for one list, with its reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from assent.cli.house import House, examples, house_options
from assent.cli.screen import took

if TYPE_CHECKING:
    from assent.cli.screen import Screen
    from assent.terms.answers import Because, Decision, Suggestion

REASONS_SHOWN = 2


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
@house_options
def train(house: House, *, rebuild: bool, spark: str | None) -> None:
    """Learn from everybody who says yes to `learn` now, and take out whoever no longer does."""
    with house.open() as engine, house.screen.busy("Learning"):
        report = engine.train(rebuild=rebuild, spark=spark)
    if house.screen.as_json:
        house.screen.data(report)
        return
    house.screen.heading(f"Learned from {report.people:,} people in {took(report.seconds)}.")
    house.screen.pairs(
        [
            ("People added or changed", f"{report.added:,}"),
            ("People taken out", f"{report.removed:,}"),
            ("Items", f"{report.items:,}"),
            ("Version", f"{report.version}{' (added up anew)' if report.rebuilt else ''}"),
        ]
    )
    house.screen.say("  Digest of the sum")
    house.screen.say(f"    {report.digest}")


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
@click.option(
    "--mode", default="personal", show_default=True, help="personal, or non_profiled: nobody's history is used."
)
@click.option("--include-bought", is_flag=True, help="Show again what the person bought already.")
@click.option("--gpc", is_flag=True, help="Answer as for a browser that sends Sec-GPC: 1.")
@house_options
def decide(
    house: House,
    *,
    person: str | None,
    slot: str,
    count: int,
    item: str | None,
    exclude: str,
    mode: str,
    include_bought: bool,
    gpc: bool,
) -> None:
    """Choose items for one place on a page, for PERSON or for nobody in particular, and say why each is there.

    PERSON is any name the shop knows them by: a user id, an anonymous id, an e-mail address, or KIND:NAME.
    """
    excluded = tuple(part.strip() for part in exclude.split(",") if part.strip())
    with house.open() as engine, house.screen.busy("Choosing"):
        decision = engine.decide(
            person,
            slot=slot,
            count=count,
            context={"item": item} if item else None,
            mode=mode,
            exclude=excluded,
            include_bought=include_bought,
            gpc=gpc,
        )
    if house.screen.as_json:
        house.screen.data(decision)
        return
    print_decision(house.screen, decision)


_METHODS = {
    "personal": "Chosen from the person's own history.",
    "similar": "Chosen because they go with the item on the page; nobody's history was used.",
    "popular": "What many people who agreed to share like; nobody's own history was used.",
    "empty": "There is nothing to suggest: the catalogue is empty, or everything was left out.",
}


def print_decision(screen: Screen, decision: Decision) -> None:
    """Print one answer: the list, why each item is in it, what was used, and what was not."""
    screen.heading(_METHODS[decision.method])
    if decision.items:
        screen.table(("", "Item", "Because"), [(each.rank, title(each), why(each)) for each in decision.items])
    if decision.used:
        screen.heading("Used")
        for words in decision.used:
            screen.say(f"  {words}")
    screen.heading("Not used")
    screen.pairs([(each.what, each.why) for each in decision.not_used])
    screen.heading("To change this")
    screen.say(f"  {decision.change}")
    if decision.receipt:
        screen.say(f"  Rests on the consent with receipt {decision.receipt}, for the purpose '{decision.purpose}'.")


def title(suggestion: Suggestion) -> str:
    """Name an item the way a person reads it: its name, or its id when it has none."""
    return suggestion.name or suggestion.item


def why(suggestion: Suggestion) -> str:
    """Say the strongest reasons of one suggestion with their shares, a line each."""
    if not suggestion.because:
        return suggestion.text
    return "\n".join(_reason(each) for each in suggestion.because[:REASONS_SHOWN])


def _reason(because: Because) -> str:
    return f"{because.action} {because.name or because.item} ({because.share_percent}%)"
