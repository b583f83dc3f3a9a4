"""`python -m assent.web`: the server in the foreground, as `assent serve` starts it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from assent.terms.errors import AssentError
from assent.web.serve import HOST, PORT, serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; returns 0 after a clean stop, 1 when it could not start."""
    parser = argparse.ArgumentParser(prog="python -m assent.web", description="Serve a store over HTTP.")
    parser.add_argument("--store", default="shop.db", help="path or URL of the store")
    parser.add_argument("--keys", help="the key file; by default beside the store")
    parser.add_argument("--host", default=HOST, help="the address to listen at")
    parser.add_argument("--port", type=int, default=PORT, help="the port")
    parser.add_argument("--workers", type=int, default=1, help="server processes")
    options = parser.parse_args(arguments)
    try:
        serve(options.store, options.keys, options.host, options.port, options.workers)
    except AssentError as error:
        print(f"{error.message}\n{error.advice}", file=sys.stderr)  # noqa: T201 - the command's own words
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
