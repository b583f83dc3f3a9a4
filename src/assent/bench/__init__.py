"""Recommenders compared on data of one's own: the data, its split, the peers, the runs. A command of `cli` calls it."""
