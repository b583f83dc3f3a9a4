"""Helpers for tests with assent: clocks, seeds and the contract suites. Nothing in assent imports it."""

from assent.testing.clock import START_MS, FixedClock, SeededRandomness

__all__ = ["START_MS", "FixedClock", "SeededRandomness"]
