"""Recommenders compared on data of one's own: splits, peers, processes. Thin commands in `cli` call it."""
