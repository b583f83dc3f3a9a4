"""The commands: the only room that speaks to a terminal. Every act is the engine's, under the same name."""

from assent.cli.app import main

__all__ = ["main"]
