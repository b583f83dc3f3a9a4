"""`assent consent`, `assent export`, `assent erase`: one person's consents, data and erasure."""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import perf_counter
from typing import IO

import click

from assent.cli.context import CommandContext, context_options, examples, purposes_listed
from assent.cli.screen import plain
from assent.cli.views.answers import print_certificate, print_consents
from assent.terms.errors import Conflict


@click.command(
    short_help="Show or record what a person agrees to",
    epilog=examples(
        "assent consent ana@example.com",
        'assent consent user_id:4711 --grant personalize,learn --evidence "said so by telephone"',
        "assent consent user_id:4711 --withdraw learn",
    ),
)
@click.argument("person")
@click.option("--grant", default="", callback=purposes_listed, metavar="PURPOSES", help="Purposes they agree to.")
@click.option("--withdraw", default="", callback=purposes_listed, metavar="PURPOSES", help="Purposes they withdraw.")
@click.option("--evidence", metavar="TEXT", help="How you know; kept, sealed, with the consent.")
@click.option("--language", metavar="TAG", help="The language of the notice they read; by default ASSENT_LANGUAGE.")
@context_options
def consent(
    context: CommandContext,
    *,
    person: str,
    grant: tuple[str, ...],
    withdraw: tuple[str, ...],
    evidence: str | None,
    language: str | None,
) -> None:
    """Show what PERSON agreed to, or record what they say now. Saying no is as easy as saying yes.

    Both hold from the next call on. What was kept for a withdrawn purpose only is deleted at once.
    """
    with context.open() as engine:
        receipts = []
        if grant or withdraw:
            receipts = engine.consent(person, grant=grant, withdraw=withdraw, evidence=evidence, language=language)
        states = engine.people.consents(person)
    if context.screen.as_json:
        context.screen.data({"receipts": receipts, **plain(states)} if receipts else states)
        return
    for receipt in receipts:
        context.screen.say(f"Recorded; receipt {receipt.payload['dct:identifier']}.")
    print_consents(context.screen, states)


@click.command(
    short_help="Export all data about a person",
    epilog=examples("assent export ana@example.com --output ana.json", "assent export user_id:4711 > person.json"),
)
@click.argument("person")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there, for you alone to read.",
)
@context_options
def export(context: CommandContext, person: str, output: Path | None) -> None:
    """Export all data about PERSON, as JSON. It is personal data: give it to them and keep no copy."""
    with context.open() as engine:
        exported = engine.export(person)
    if output is None:
        context.screen.data(exported)
        return
    with new_private_file(output) as file:
        json.dump(plain(exported), file, ensure_ascii=False, indent=2)
    if context.screen.as_json:
        context.screen.data({"output": output})
        return
    context.screen.say(f"Written to {output}; only you can read it.")


@click.command(
    short_help="Erase a person from rows, keys and models",
    epilog=examples("assent erase ana@example.com", "assent erase user_id:4711 --yes --certificate 4711.json"),
)
@click.argument("person")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File of the certificate; erasure-ID.json by default.",
)
@context_options
def erase(context: CommandContext, person: str, certificate: Path | None, *, yes: bool) -> None:
    """Erase PERSON everywhere: rows, keys, and what the model learned from them. It cannot be undone.

    The certificate proves it and holds nothing about them; `assent verify FILE` checks it.
    """
    if certificate is not None and certificate.exists():
        raise _stands(certificate)
    if not yes:
        context.screen.confirm("Erase this person everywhere? It cannot be undone.", flag="--yes")
    with context.open() as engine, context.screen.busy("Erasing"):
        started = perf_counter()
        proof = engine.erase(person)
        seconds = perf_counter() - started
    if context.screen.as_json and certificate is None:
        context.screen.data(proof)
        return
    path = certificate or Path(f"erasure-{proof.body['erasure']}.json")
    with new_private_file(path) as file:
        json.dump(plain(proof), file, ensure_ascii=False, indent=2)
    if context.screen.as_json:
        context.screen.data(proof)
        return
    print_certificate(context.screen, proof, seconds)
    context.screen.say(f"The certificate is in {path}; check it with: assent verify {path}")


def new_private_file(path: Path) -> IO[str]:
    """Open a new file that only its owner can read; raises `Conflict` for a path that exists."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _stands(path) from None
    except OSError as error:
        raise Conflict(f"{path} cannot be written: {error.strerror}.", advice="Name another file.") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def _stands(path: Path) -> Conflict:
    return Conflict(f"{path} is there already.", advice="Name another file; nothing is overwritten.")


COMMANDS, ORDER = (consent, export, erase), (90, 100, 110)
