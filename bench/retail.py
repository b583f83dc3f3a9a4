"""The public data sets that some measurements need: their paths, and the words for one that is absent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SHARED: Final = Path(os.environ.get("ASSENT_SHARED") or Path(__file__).parents[2] / "shared" / "data")
ONLINE_RETAIL: Final = SHARED / "online-retail" / "online_retail.parquet"
COMPLETE_JOURNEY: Final = SHARED / "complete-journey" / "transactions_sample.csv.gz"
MISSING: Final = f"no {ONLINE_RETAIL.name}: name the folder of data sets in ASSENT_SHARED"
