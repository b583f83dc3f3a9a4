"""The surroundings of every command: the store, the key file, words or JSON, and errors that end with advice."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from assent.cli.screen import Screen
from assent.terms.errors import AssentError

if TYPE_CHECKING:
    from assent.engine import Engine

STORE_DEFAULT = "sqlite:///shop.db"
EXIT_FAILED = 1


@dataclass(frozen=True, slots=True)
class CommandContext:
    """One command's surroundings: the store's URL, the key file if named, and the screen to speak through."""

    store: str
    keys: Path | None
    screen: Screen

    @contextmanager
    def open(self, *, create: bool = False) -> Iterator[Engine]:
        """Open the engine on the store, and close it at the end."""
        engine = engine_class().open(self.store, keys=self.keys, create=create)
        try:
            yield engine
        finally:
            engine.close()

    def key_path(self) -> Path:
        """Return the path of the key file of this store, whether it exists or not."""
        if self.keys is not None:
            return self.keys
        return cast("Path", import_module("assent.engine").default_key_path(self.store))


def engine_class() -> type[Engine]:
    """Load the engine when a command first needs it: `--help` answers without loading arrays and databases."""
    return cast("type[Engine]", import_module("assent.engine").Engine)


def context_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--store`, `--keys` and `--json`, handed over as one `context`; a failed act ends with code 1."""

    @click.option(
        "--store",
        envvar="ASSENT_STORE",
        default=STORE_DEFAULT,
        show_default=True,
        show_envvar=True,
        metavar="URL",
        help="Where the shop's data is: sqlite:///FILE or postgresql://...",
    )
    @click.option(
        "--keys",
        envvar="ASSENT_KEY_FILE",
        type=click.Path(path_type=Path, dir_okay=False),
        show_envvar=True,
        metavar="FILE",
        help="The key file that opens the store; by default beside the store.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, for programs.")
    @functools.wraps(command)
    def wrapped(*, store: str, keys: Path | None, as_json: bool, **arguments: Any) -> None:
        screen = Screen(as_json=as_json)
        try:
            command(CommandContext(store, keys, screen), **arguments)
        except AssentError as error:
            screen.fail(error)
            raise SystemExit(EXIT_FAILED) from None

    return wrapped


def examples(*lines: str) -> str:
    """Write a command's examples for the end of its `--help`, line by line as they stand."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def purposes_listed(_context: click.Context, _option: click.Parameter, value: str) -> tuple[str, ...]:
    """Read `personalize,learn` as two purposes."""
    return tuple(part.strip() for part in value.split(",") if part.strip())
