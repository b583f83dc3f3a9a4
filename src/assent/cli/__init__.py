"""The commands. No other room speaks to a terminal; each command calls one act of the engine of the same name."""

from assent.cli.app import main

__all__ = ["main"]
