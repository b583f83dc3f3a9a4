"""The recommenders that are measured beside ours: their names, packages, and default settings."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Setting = float | int | str | bool
OURS: Final = "assent"


@dataclass(frozen=True, slots=True)
class Peer:
    """One recommender to measure: its row's name, what it is, its settings, the package it comes from if any."""

    name: str
    what: str
    settings: Mapping[str, Setting]
    package: str | None = None
    #: implicit runs its own threads and asks that the linear algebra below it use one.
    own_threads: bool = False

    @property
    def installed(self) -> bool:
        """Return whether its package is installed."""
        return self.package is None or importlib.util.find_spec(self.package) is not None


#: The settings are the best of a small grid on Online Retail, on weeks before its test part.
PEERS: Final = {
    peer.name: peer
    for peer in (
        Peer("ease", "plain EASE (Steck 2019), one ridge, dense", {"ridge": 300.0}),
        Peer("popularity", "the items of most people", {}),
        Peer(
            "implicit-als",
            "implicit's alternating least squares",
            {"factors": 64, "regularization": 10.0, "alpha": 1.0, "iterations": 15},
            "implicit",
            own_threads=True,
        ),
        Peer(
            "implicit-bpr",
            "implicit's Bayesian personalized ranking",
            {"factors": 64, "learning_rate": 0.01, "regularization": 0.01, "iterations": 100},
            "implicit",
            own_threads=True,
        ),
        Peer(
            "sansa",
            "sansa's sparse approximate inverse (Spisak 2023)",
            {"factorizer": "auto", "l2": "auto", "weights_per_item": "auto", "scans": 1, "finetune_steps": 5},
            "sansa",
        ),
    )
}
