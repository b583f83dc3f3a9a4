"""`assent catalog`: the shop's items, listed, shown, compared and removed."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples
from assent.cli.views.answers import title


@click.group(short_help="List, show, compare and remove items")
def catalog() -> None:
    """List the shop's items, show one, find similar ones, or remove one. `assent import items FILE` adds them."""


@catalog.command(
    "list",
    short_help="List the items, page by page",
    epilog=examples(
        "assent catalog list", "assent catalog list --count 20 --after KET-1", "assent catalog list --json"
    ),
)
@click.option("--after", metavar="ID", help="Start after this id.")
@click.option("--count", default=100, show_default=True, type=int, help="How many at most.")
@context_options
def list_(context: CommandContext, after: str | None, count: int) -> None:
    """List the items in the order of their ids."""
    with context.open() as engine:
        page = engine.catalog.page(after, count)
    if context.screen.as_json:
        context.screen.data({"items": [item.fields() for item in page.items], "next": page.next})
        return
    if not page.items:
        context.screen.say("No goods are listed here: `assent import items FILE` puts them in.")
        return
    rows = [(item.id, item.name, "yes" if item.available else "no") for item in page.items]
    context.screen.table(("Id", "Name", "Available"), rows)
    if page.next:
        context.screen.say(f"There are more: assent catalog list --after {page.next}")


@catalog.command(
    short_help="Show one item", epilog=examples("assent catalog show KET-1", "assent catalog show KET-1 --json")
)
@click.argument("item")
@context_options
def show(context: CommandContext, item: str) -> None:
    """Show what is known about ITEM, named by its id."""
    with context.open() as engine:
        fields = engine.catalog.get(item).fields()
    if context.screen.as_json:
        context.screen.data(fields)
        return
    context.screen.pairs(list(fields.items()))


@catalog.command(
    short_help="Remove one item from the catalog",
    epilog=examples("assent catalog drop KET-1", "assent catalog drop KET-1 --json"),
)
@click.argument("item")
@context_options
def drop(context: CommandContext, item: str) -> None:
    """Remove ITEM from the catalog, so that it is no longer suggested; importing it again adds it again."""
    with context.open() as engine:
        engine.catalog.drop(item)
    if context.screen.as_json:
        context.screen.data({"dropped": item})
        return
    context.screen.say(f"{item} is off the list.")


@catalog.command(
    short_help="List the items most similar to one",
    epilog=examples("assent catalog similar KET-1", "assent catalog similar KET-1 --count 3 --json"),
)
@click.argument("item")
@click.option("--count", default=10, show_default=True, type=int, help="How many at most.")
@context_options
def similar(context: CommandContext, item: str, count: int) -> None:
    """List the items most similar to ITEM, best first, the same for everybody."""
    with context.open() as engine:
        found = engine.catalog.similar(item, count)
    if context.screen.as_json:
        context.screen.data({"items": found})
        return
    context.screen.table(("", "Item", "Because"), [(each.rank, title(each), each.text) for each in found])


COMMANDS, ORDER = (catalog,), (50,)
