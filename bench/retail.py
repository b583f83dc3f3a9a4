"""The public data set that some measurements need: where it is, and what is told where it is not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

SHARED: Final = Path(os.environ.get("ASSENT_SHARED") or Path(__file__).parents[2] / "shared" / "data")
ONLINE_RETAIL: Final = SHARED / "online-retail" / "online_retail.parquet"
MISSING: Final = f"no {ONLINE_RETAIL.name}: name the folder of data sets in ASSENT_SHARED"
