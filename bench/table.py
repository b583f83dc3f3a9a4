"""One shape for every figure that is measured here, and one table that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from rich import box
from rich.console import Console
from rich.table import Table


class Row(TypedDict):
    """One figure beside its target."""

    #: What was measured, in words.
    what: str
    #: What it should reach, with its unit.
    target: str
    #: What it reached, with its unit, and the limit or peer of the same run.
    measured: str
    ok: bool
    #: The most memory of the measuring process, in MB (10^6 bytes).
    peak_mb: NotRequired[float]


def unmeasured(what: str, missing: str) -> Row:
    """Return the row of what cannot be measured here, for want of what is missing."""
    return Row(what=what, target="measured", measured=missing, ok=False)


def show(rows: Sequence[Row], title: str) -> None:
    """Print the rows as one table; a row that misses its target says so in words, not by color alone."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "What", "Target", "Measured"):
        table.add_column(heading, overflow="fold")
    table.add_column("Peak MB", justify="right")
    for row in rows:
        verdict = "[green]ok[/green]" if row["ok"] else "[bold red]MISSED[/bold red]"
        peak = f"{row['peak_mb']:,.0f}" if "peak_mb" in row else ""
        table.add_row(verdict, row["what"], row["target"], row["measured"], peak)
    Console().print(table)
