"""`assent consent`, `assent export`, `assent erase`: what one person said, what is held on them, and their leaving."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import IO, TYPE_CHECKING, Any

import click

from assent.cli.house import House, examples, house_options
from assent.cli.importing import purposes_listed
from assent.cli.screen import plain, took
from assent.terms.errors import Conflict

if TYPE_CHECKING:
    from assent.cli.screen import Screen
    from assent.terms.answers import Certificate


NEVER = "not_granted"
#: Why a purpose may not be used now, in the words of a person.
_WHY_NOT = {
    "refused": "no: refused",
    "withdrawn": "no: withdrawn",
    "expired": "no: too old, ask again",
    "notice_changed": "no: the notice changed, ask again",
}


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
@click.option("--withdraw", default="", callback=purposes_listed, metavar="PURPOSES", help="Purposes they take back.")
@click.option("--evidence", metavar="TEXT", help="How you know; kept, sealed, with the consent.")
@click.option("--language", default="en", show_default=True, help="The language of the notice they read.")
@house_options
def consent(
    house: House, *, person: str, grant: tuple[str, ...], withdraw: tuple[str, ...], evidence: str | None, language: str
) -> None:
    """Show what PERSON agreed to, or record what they say now. Saying no is as easy as saying yes.

    Both hold from the next call on. What was kept for a withdrawn purpose only is deleted at once.
    """
    with house.open() as engine:
        receipts = []
        if grant or withdraw:
            receipts = engine.consent(person, grant=grant, withdraw=withdraw, evidence=evidence, language=language)
        states = engine.consents(person)
    if house.screen.as_json:
        house.screen.data({"receipts": receipts, **states} if receipts else states)
        return
    for receipt in receipts:
        house.screen.say(f"Recorded; receipt {receipt['payload']['dct:identifier']}.")
    print_consents(house.screen, states)


@click.command(
    short_help="Hand out everything held on a person",
    epilog=examples("assent export ana@example.com --output ana.json", "assent export user_id:4711 > person.json"),
)
@click.argument("person")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write it there, for you alone to read.",
)
@house_options
def export(house: House, person: str, output: Path | None) -> None:
    """Hand out everything that is held on PERSON, as JSON. It is personal data: give it to them and keep no copy."""
    with house.open() as engine:
        held = engine.export(person)
    if output is None:
        house.screen.data(held)
        return
    with new_private_file(output) as file:
        json.dump(plain(held), file, ensure_ascii=False, indent=2)
    if house.screen.as_json:
        house.screen.data({"output": output})
        return
    house.screen.say(f"Written to {output}; only you can read it.")


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
    help="Where the certificate goes; erasure-ID.json unless named.",
)
@house_options
def erase(house: House, person: str, certificate: Path | None, *, yes: bool) -> None:
    """Erase PERSON everywhere: rows, keys, and what the model learned from them. It cannot be taken back.

    The certificate proves it and holds nothing about them; `assent verify FILE` checks it.
    """
    if certificate is not None and certificate.exists():
        raise _stands(certificate)
    if not yes:
        house.screen.confirm("Erase this person everywhere? It cannot be taken back.", flag="--yes")
    with house.open() as engine, house.screen.busy("Erasing"):
        started = perf_counter()
        proof = engine.erase(person)
        seconds = perf_counter() - started
    if house.screen.as_json and certificate is None:
        house.screen.data(proof)
        return
    path = certificate or Path(f"erasure-{proof.body['erasure']}.json")
    with new_private_file(path) as file:
        json.dump(plain(proof), file, ensure_ascii=False, indent=2)
    if house.screen.as_json:
        house.screen.data(proof)
        return
    print_certificate(house.screen, proof, seconds)
    house.screen.say(f"The certificate is in {path}; check it with: assent verify {path}")


def print_consents(screen: Screen, states: Mapping[str, Any]) -> None:
    """Print what one person agreed to, purpose by purpose."""
    rows = [
        (
            purpose,
            "yes" if state["allowed"] else _WHY_NOT.get(state["why_not"], f"no: {state['why_not']}"),
            _day(state.get("since")),
            _day(state.get("until")),
            state.get("source", ""),
        )
        for purpose, state in states["purposes"].items()
        if state["why_not"] != NEVER
    ]
    screen.table(("Purpose", "May be used", "Since", "Until", "Said through"), rows)
    never = [purpose for purpose, state in states["purposes"].items() if state["why_not"] == NEVER]
    screen.say()
    screen.say(f"Never agreed to, so never used: {', '.join(never)}.")


def print_certificate(screen: Screen, proof: Certificate, seconds: float) -> None:
    """Print what an erasure removed, and the sum before and after."""
    facts = proof.body["facts"]
    screen.heading(f"Erased in {took(seconds)}.")
    rows = [
        ("Rows deleted", rows_deleted(facts)),
        ("Key", facts["key"]),
        ("Found in a search afterwards", f"{facts['rows_found_afterwards']} rows"),
    ]
    screen.pairs(rows)
    for model, told in facts["models"].items():
        if told["had_contribution"]:
            screen.say(f"  Digest of the {model}'s sum before, and after")
            screen.say(f"    {told['digest_before']}")
            screen.say(f"    {told['digest_after']}")
        else:
            screen.say(f"  The {model}'s sum held nothing of them.")


def rows_deleted(facts: Mapping[str, Any]) -> str:
    """Say how many rows of how many tables an erasure deleted."""
    deleted = facts["rows_deleted"]
    return f"{sum(deleted.values())}, in {len(deleted)} tables"


def _day(moment: str | None) -> str:
    return moment[:10] if moment else ""


def new_private_file(path: Path) -> IO[str]:
    """Open a new file that only its owner can read; raises `Conflict` when something stands there."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _stands(path) from None
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise Conflict(message, advice="Name another file.") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def _stands(path: Path) -> Conflict:
    return Conflict(f"{path} is there already.", advice="Name another file; nothing is overwritten.")
