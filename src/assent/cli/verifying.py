"""`assent verify` proves the log and the sum, or checks one certificate of erasure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from assent.cli.house import EXIT_FAILED, House, examples, house_options
from assent.terms.errors import InvalidInput

if TYPE_CHECKING:
    from assent.cli.screen import Screen
    from assent.terms.answers import Verification

CERTIFICATE_BYTES_MAX = 1_048_576


@click.command(
    short_help="Prove the log and the sum, or check a certificate",
    epilog=examples(
        "assent verify", "assent verify --rebuild", "assent verify erasure-1f0c.json", "assent verify --json"
    ),
)
@click.argument("certificate", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rebuild", is_flag=True, help="Also add everybody up anew and compare the digests.")
@house_options
def verify(house: House, certificate: Path | None, *, rebuild: bool) -> None:
    """Prove that nothing was altered: the log's chain and signatures, and the digest of the sum.

    With CERTIFICATE, check that one erasure instead. Ends with exit code 1 when a check does not hold.
    """
    mapping = None if certificate is None else read_certificate(certificate)
    with house.open() as engine, house.screen.busy("Checking"):
        found = engine.verify(rebuild=rebuild) if mapping is None else engine.verify_certificate(mapping)
    if house.screen.as_json:
        house.screen.data(found)
    else:
        house.screen.heading("Everything holds." if found.holds else "Something does not hold.")
        print_checks(house.screen, found)
    if not found.holds:
        raise SystemExit(EXIT_FAILED)


def print_checks(screen: Screen, found: Verification) -> None:
    """Print one line a check."""
    rows = [("holds" if each.holds else "FAILS", each.name, each.found) for each in found.checks]
    screen.table(("", "What", "Found"), rows)


def read_certificate(path: Path) -> dict[str, Any]:
    """Read a certificate file; raises `InvalidInput` when it is not one."""
    advice = "Name the file that `assent erase` wrote."
    if path.stat().st_size > CERTIFICATE_BYTES_MAX:
        message = f"{path} is too large for a certificate."
        raise InvalidInput(message, advice=advice)
    try:
        mapping = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        message = f"{path} is not JSON."
        raise InvalidInput(message, advice=advice) from None
    if not isinstance(mapping, dict) or {"body", "signature", "public_key"} - mapping.keys():
        message = f"{path} is not a certificate of erasure."
        raise InvalidInput(message, advice=advice)
    return mapping
