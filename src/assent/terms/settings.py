"""Settings of the operator, each with a safe default; read from `ASSENT_*` variables unless given."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields

from assent.terms.errors import InvalidInput

GPC_MODES = ("strict", "sharing")


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings."""

    #: Global Privacy Control refuses: with `strict` every optional purpose, with `sharing` only those of sharing.
    gpc: str = "strict"
    #: The language of answers, and of the notice that a consent is recorded with, where a request names none.
    language: str = "en"
    #: The name of the controller in receipts.
    controller_name: str = "This shop"
    #: The address at which people reach the controller.
    controller_contact: str = "privacy@shop.invalid"
    #: The controller's postal address.
    controller_address: str = "not stated"
    #: The jurisdiction of the controller.
    jurisdiction: str = "EU"
    #: Comma-separated origins that browsers may send events from; `*` is every origin.
    cors_origins: str = "*"
    #: The folder in which processes share solved models; empty: beside an SQLite file, none for a server's database.
    models_folder: str = ""
    #: The file in which the shop declares purposes of its own, read when the engine opens; empty: none.
    purposes_file: str = ""

    def __post_init__(self) -> None:
        """Refuse a mode that does not exist."""
        if self.gpc not in GPC_MODES:
            raise InvalidInput(
                "The setting gpc is not a mode that exists.",
                advice=f"Set ASSENT_GPC to one of: {', '.join(GPC_MODES)}.",
            )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read each setting from `ASSENT_` and its name in capitals, where that is set."""
        names = {each.name: f"ASSENT_{each.name.upper()}" for each in fields(cls)}
        return cls(**{name: environment[variable] for name, variable in names.items() if variable in environment})
