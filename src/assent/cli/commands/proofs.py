"""`assent verify`: the proof of the log and the sum, or of one erasure by its certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from assent.cli.context import EXIT_FAILED, CommandContext, context_options, examples
from assent.cli.views.answers import print_checks
from assent.terms.errors import InvalidInput
from assent.terms.limits import limit

_CERTIFICATE_BYTES_MAX = limit("certificate_bytes_max")


@click.command(
    short_help="Prove the log and the sum, or check a certificate",
    epilog=examples(
        "assent verify", "assent verify --rebuild", "assent verify erasure-1f0c.json", "assent verify --json"
    ),
)
@click.argument("certificate", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--rebuild", is_flag=True, help="Also add everybody up anew and compare the digests.")
@context_options
def verify(context: CommandContext, certificate: Path | None, *, rebuild: bool) -> None:
    """Prove that nothing was altered: the log's chain and signatures, and the digest of the sum.

    With CERTIFICATE, check that one erasure instead. Ends with exit code 1 when a check does not hold.
    """
    mapping = None if certificate is None else read_certificate(certificate)
    with context.open() as engine, context.screen.busy("Checking"):
        found = engine.verify(rebuild=rebuild) if mapping is None else engine.people.verify_certificate(mapping)
    if context.screen.as_json:
        context.screen.data(found)
    else:
        context.screen.heading("Everything holds." if found.holds else "Something does not hold.")
        print_checks(context.screen, found)
    if not found.holds:
        raise SystemExit(EXIT_FAILED)


def read_certificate(path: Path) -> dict[str, Any]:
    """Read a certificate file; raises `InvalidInput` when it is not one."""
    advice = "Name the file that `assent erase` wrote."
    if path.stat().st_size > _CERTIFICATE_BYTES_MAX:
        raise InvalidInput(f"{path} is too large for a certificate.", advice=advice)
    try:
        mapping = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path} is not JSON.", advice=advice) from None
    if not isinstance(mapping, dict) or {"body", "signature", "public_key"} - mapping.keys():
        raise InvalidInput(f"{path} is not a certificate of erasure.", advice=advice)
    return mapping


COMMANDS, ORDER = (verify,), (120,)
