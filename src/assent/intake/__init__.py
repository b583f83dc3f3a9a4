"""Events in: shape, consent, duplicates, minimising, sealing; and the importers for files."""

from assent.intake.allow import AllowList
from assent.intake.importer import Importer
from assent.intake.intake import Intake
from assent.intake.parse import Batch
from assent.intake.reasons import REASONS

__all__ = ["REASONS", "AllowList", "Batch", "Importer", "Intake"]
