"""Pages made from what is held: the data map from the store's tables, purposes and events from their own lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Table

from assent.consent import Purposes
from assent.intake.allow import AllowList
from assent.store.tables import META
from assent.terms.events import ACTIONS
from assent.terms.purposes import BITS, BUILT_IN_BITS
from assent.terms.refusals import DROPS
from assent.terms.segment import CALL_BY_NAME
from assent.terms.sentences import sentence
from docs.render.markdown import code, codes, page, prose, section, table

#: A purposes file of a shop, as the page shows it.
EXAMPLE = Path(__file__).with_name("purposes.toml")


def data_map() -> str:
    """Return the data map: what is held, why, how long, and in which form, from the tables that the store uses."""
    tables = [each for each in META.metadata.tables.values() if each.info]
    overview = table(
        ("Table", "What it holds", "Why", "How long"),
        (
            [f"[`{each.name}`](#{each.name})", each.info["holds"], each.info["why"], each.info["how_long"]]
            for each in tables
        ),
    )
    return page(
        "Data map",
        """
        What a store holds, why, for how long, and in which form. **Sealed** means AES-256-GCM with the key of the
        one person it is about; destroying that key ends it everywhere. **Clear** is readable in the database file:
        random ids, keyed digests, consent states, times, sums over people, and the catalog. Nobody else gets any
        of it.
        """,
        [overview, *map(_held, tables)],
    )


def _held(one: Table) -> str:
    sealed = one.info["sealed"]
    rows = (
        [code(column.name), "sealed" if column.name in sealed else "clear", column.doc or ""] for column in one.columns
    )
    return f"## `{one.name}`\n\n{one.info['holds']}\n\n" + table(("Column", "Form", "What it is"), rows)


def purposes() -> str:
    """Return the page of purposes, in the words that people read."""
    return page(
        "Purposes",
        """
        What personal data may be used for. Every optional purpose starts off; an unknown purpose is refused. The
        text is what a person is shown; a consent points to the exact words, and changing them asks everybody again.
        """,
        [*map(_purpose, Purposes.load().rows()), *_own_purposes()],
    )


def _own_purposes() -> list[str]:
    """Return how a shop declares purposes of its own."""
    return [
        section(
            "Purposes of your own",
            """
            A shop declares more in a TOML file and names it in the setting `purposes_file`; it is read when an engine
            opens, by every process that opens the same store. A mistake stops the opening and is named. What the
            file leaves out is as in the package; a table with the id of a built-in purpose takes that one's place,
            words and all, and people are asked again.
            """,
        ),
        f"```toml\n{EXAMPLE.read_text(encoding='utf-8')}```",
        prose(
            """
            Every text must be there in each of `languages` (left out: `en` and `de`). A notice is written from the
            purpose's own words, the names of its `data`, `retention_days`, the recipients, and the closing sentences.
            `[[member]]` adds to a family: `share` (the member's name is the recipient, or `recipients` lists several)
            or `sensitive` (`data` names what it is about). `aliases` are the names that consent banners give to the
            purpose. The Data Privacy Vocabulary's IRI in `dpv` and the day in `review_by` are needed; `tcf`, `gpp`,
            `consent_mode`, `sensitive` and `adult_only` are as above. New kinds of data and other sentences go in
            `[data.<id>]` and `[words.<language>]`.
            """
        ),
        prose(
            f"""
            With `keeps_events = true` events may be kept for the purpose, and opened under a permit for it. At most
            {BITS} purposes can: the {len(BUILT_IN_BITS)} built-in ones that do and {BITS - len(BUILT_IN_BITS)} more.
            The store gives each of them a bit when it sees it first. It stays that purpose's for good, even when the
            purpose leaves the file, whose consents then count for nothing.
            """
        ),
    ]


def _purpose(row: dict[str, Any]) -> str:
    notice = row["text"].replace("\n", "\n> ")
    facts = [
        ("Optional", "yes, off until granted" if row["optional"] else "no"),
        ("Legal basis", row["legal_basis"].replace("_", " ")),
        ("Data used", codes(kind["id"] for kind in row["data"]) or "none"),
        ("Kept", f"at most {row['retention_days']:,} days"),
        ("Recipients", ", ".join(row["recipients"]) or "nobody"),
        ("Sensitive", "yes" if row["sensitive"] else "no"),
        ("Adults only", "yes" if row["adult_only"] else "no"),
        ("Vocabulary", row["dpv"]),
        ("Banner categories that mean it", codes(row["aliases"]) or "its id alone"),
        ("IAB TCF purposes", ", ".join(map(str, row["mappings"]["tcf"])) or "none"),
        ("IAB GPP fields", codes(row["mappings"]["gpp"]) or "none"),
        ("Consent Mode", codes(row["mappings"]["consent_mode"]) or "none"),
        ("Review by", row["review_by"]),
    ]
    return f"## `{row['id']}`\n\n> **{row['title']}**\n>\n> {notice}\n\n" + table(("", ""), facts)


def events() -> str:
    """Return the page of events: the calls, the acts, what is kept, and why an event is dropped."""
    allow = AllowList.load()
    names: dict[str, list[str]] = {}
    for name, call in CALL_BY_NAME.items():
        names.setdefault(call, []).append(f"/v1/{name}")
    return page(
        "Events",
        """
        Events arrive in the shape of Segment's tracking API. They are stored under the consent they carry and that
        the ledger knows, minimized by the lists below, and counted when they are dropped.
        """,
        [
            "## Calls",
            table(("Call", "Paths"), ([code(call), codes(paths)] for call, paths in names.items())),
            section(
                "Acts",
                """
                These `track` events tell that a person did something with an item; suggestions and their reasons come
                from them.
                """,
            ),
            table(
                ("Event", "What a reason calls it"),
                ([code(action.event), sentence(f"action.{action.name}")] for action in ACTIONS),
            ),
            section(
                "What is kept",
                """
                Only these fields, and of them only plain values; URLs lose query, fragment and user. The IP address is
                never read.
                """,
            ),
            table(("Event", "Properties kept"), ([code(event), _fields(kept)] for event, kept in allow.track.items())),
            table(
                ("Elsewhere", "Fields kept"),
                [
                    ["each product of `products`", _fields(allow.products)],
                    *([f"`{call}`, its properties", _fields(kept)] for call, kept in allow.calls.items()),
                    ["`identify`, its traits", _fields(allow.traits) + "; `email` becomes an identifier"],
                ],
            ),
            "`*` stands for every event without a line of its own.",
            section(
                "Why an event is dropped", "The words are the labels under `/metrics` and in the answer of `take_in`."
            ),
            table(("Reason", "What it means"), ([code(drop), sentence(f"drop.{drop}")] for drop in DROPS)),
        ],
    )


def _fields(names: frozenset[str]) -> str:
    return codes(sorted(names)) or "none"
