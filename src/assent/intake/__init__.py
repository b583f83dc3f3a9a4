"""Intake of events: shape, consent, duplicates, minimizing, sealing.

Files are imported by `assent.intake.files.importer`, which is loaded only when needed: data frames take long to import.
"""

from assent.intake.allow import AllowList
from assent.intake.intake import Intake
from assent.intake.parse import Batch

__all__ = ["AllowList", "Batch", "Intake"]
