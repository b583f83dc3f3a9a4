"""`assent bench`: the measurements of a source checkout, and recommenders compared on anybody's data."""

from assent.cli.bench.command import bench

__all__ = ["bench"]
