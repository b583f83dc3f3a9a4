"""`assent init`: a new store, its key file and its first keys."""

from __future__ import annotations

import click

from assent.cli.context import CommandContext, context_options, examples
from assent.terms.errors import KeyFileExists

#: The keys that a new store gets: role, and what it is for.
FIRST_KEYS = (
    ("server", "Secret key", "for your server: everything a shop does. Keep it secret."),
    ("browser", "Write key", "for your web page: may send events, and nothing else."),
)


@click.command(
    short_help="Make a store, its key file and its first keys",
    epilog=examples(
        "assent init",
        "assent init --store sqlite:////srv/shop/shop.db --keys /srv/keys/shop.keys",
        "assent init --store postgresql://shop@localhost/shop --keys /srv/keys/shop.keys",
    ),
)
@context_options
def init(context: CommandContext) -> None:
    """Make a store: its schema, its key file, and the first two keys, shown once.

    The key file opens everything that is sealed. It is readable by you alone, it is never overwritten, and it belongs
    in a backup of its own: a copy of the store without it holds no readable personal data.
    """
    path = context.key_path()
    if path.exists():
        raise KeyFileExists(
            f"{path} exists already.",
            advice="Use it as it is, or name another place with --keys; overwriting it would lose every sealed record.",
        )
    with context.screen.busy("Making the store"), context.open(create=True) as engine:
        made = [(role, name, use, engine.keys.make(role, f"first {role} key")) for role, name, use in FIRST_KEYS]
    if context.screen.as_json:
        keys = {f"{role}_key": key for role, _, _, key in made}
        context.screen.data({"store": context.store, "key_file": path, **keys})
        return
    _tell(context, str(path), [(name, use, key) for _, name, use, key in made])


def _tell(context: CommandContext, path: str, made: list[tuple[str, str, str]]) -> None:
    """Say what was made, show the keys this once, and say what comes next."""
    screen = context.screen
    screen.heading("The store is ready.")
    screen.pairs([("Store", context.store), ("Key file", path)])
    screen.say("  Back the key file up apart from the store; without it nothing can be read.")
    screen.heading("Two keys, shown now and never again")
    for name, use, key in made:
        screen.say(f"  {name} {use}")
        screen.whole(f"    {key}")
    screen.heading("Next")
    screen.pairs(
        [
            ("assent import items FILE", "add your items"),
            ("assent serve", "take events and answer at http://127.0.0.1:8787"),
            ("assent train", "learn from all who agreed"),
            ("assent doctor", "check the store"),
        ]
    )


COMMANDS, ORDER = (init,), (10,)
