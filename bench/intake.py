"""Intake in one process: batches of consented events parsed, minimized, sealed, committed, beside a bare pipeline."""

from __future__ import annotations

import json
import random
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from assent.consent import Ledger, Purposes
from assent.intake import Intake
from assent.learn import SumsKeeper, Withdrawals
from assent.store import Store
from assent.terms.answers.events import TakenIn
from assent.terms.clock import SystemClock
from assent.terms.randomness import SystemRandomness
from assent.vault import AuditLog, KeyFile, Vault

EVENTS = 500
BATCHES = 60
ROUNDS = 3
TARGET_PER_SECOND = 30_000
TARGET_SHARE = 0.5
ITEMS = 3_500
#: How many senders wait for an answer at the same time.
CONNECTIONS = 8


#: Reads one body; None waits until all that was read is durable.
Step = Callable[[bytes | None], None]


@dataclass(frozen=True)
class Measured:
    """Events per second of the house and of the bare pipeline, on the same bodies in the same run."""

    house: float
    bare: float


def bodies(people: int, seed: int) -> list[bytes]:
    """Return batches as a browser's client sends them: about 850 bytes an event, consent in the context."""
    draw = random.Random(seed)
    started_ms = time.time_ns() // 1_000_000 - BATCHES * 1_000
    return [_body(draw, people, started_ms + number * 1_000) for number in range(BATCHES)]


def _body(draw: random.Random, people: int, sent_ms: int) -> bytes:
    events = [_event(draw, people, sent_ms - draw.randrange(2_000)) for _ in range(EVENTS)]
    return json.dumps({"batch": events, "sentAt": _text(sent_ms), "writeKey": "browser_key"}).encode()


def _event(draw: random.Random, people: int, at_ms: int) -> dict[str, Any]:
    item = draw.randrange(ITEMS)
    return {
        "type": "track",
        "event": draw.choice(["Product Viewed", "Product Viewed", "Product Viewed", "Product Added"]),
        "userId": f"customer-{draw.randrange(people)}",
        "messageId": f"ajs-next-{draw.getrandbits(128):032x}",
        "timestamp": _text(at_ms),
        "properties": {
            "product_id": f"P{item:05d}",
            "sku": f"SKU-{item}",
            "name": "Blue enamel kettle",
            "category": "Kitchen",
            "price": 19.99,
            "currency": "GBP",
            "position": 3,
            "url": f"https://shop.example/p/{item}?utm_source=mail",
        },
        "context": {
            "ip": "203.0.113.7",
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0",
            "locale": "en-GB",
            "page": {"path": f"/p/{item}", "url": f"https://shop.example/p/{item}?utm_source=mail", "title": "Kettle"},
            "library": {"name": "analytics.js", "version": "next-1.84.3"},
            "consent": {"categoryPreferences": {"personalize": True, "learn": True}},
        },
        "integrations": {},
    }


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def bare(folder: Path) -> Step:
    """Return the bare pipeline: decode, seal each event with one key, insert, commit; as durable as the house."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for setting in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, sealed BLOB NOT NULL) STRICT")
    cipher = AESGCM(AESGCM.generate_key(256))
    take = SystemRandomness().bytes
    decode = msgspec.json.Decoder().decode
    encode = msgspec.msgpack.Encoder().encode

    def run(body: bytes | None) -> None:
        if body is None:
            return
        rows = []
        for event in decode(body)["batch"]:
            nonce = take(12)
            rows.append((nonce + cipher.encrypt(nonce, encode(event), None),))
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("INSERT INTO events (sealed) VALUES (?)", rows)
        connection.execute("COMMIT")

    return run


def house(folder: Path) -> tuple[Step, Callable[[], None]]:
    """Return intake on a fresh SQLite store, with a batch on its way for each sender, and how to close it."""
    clock, randomness = SystemClock(), SystemRandomness()
    store = Store.open(folder / "shop.db")
    vault = Vault(KeyFile.make(folder / "shop.key"), clock, randomness)
    ledger = Ledger(Purposes.load(), clock, randomness)
    learning = SumsKeeper(store, vault, ledger, clock)
    intake = Intake(store, vault, ledger, AuditLog(vault), learning, Withdrawals(vault, ledger, learning))

    flying: deque[Future[TakenIn]] = deque()

    def land(count: int) -> None:
        while len(flying) > count:
            answer = flying.popleft().result()
            if answer.stored != EVENTS:
                raise RuntimeError(f"Only {answer.stored} of {EVENTS} events were stored: {answer.dropped}")

    def run(body: bytes | None) -> None:
        if body is None:
            land(0)
            return
        flying.append(intake.submit_body(body, kind="batch"))
        land(CONNECTIONS - 1)

    return run, store.close


def measure(people: int) -> Measured:
    """Run both over the same bodies, in turns, on files of the same folder; the best round of each counts."""
    best = {"house": 0.0, "bare": 0.0}
    for seed in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            sent = bodies(people, seed)
            warm, timed = sent[:10], sent[10:]
            run, close = house(Path(folder))
            for name, step in (("bare", bare(Path(folder))), ("house", run)):
                for body in (*warm, None):
                    step(body)
                started = time.perf_counter()
                for body in (*timed, None):
                    step(body)
                seconds = time.perf_counter() - started
                best[name] = max(best[name], len(timed) * EVENTS / seconds)
            close()
    return Measured(best["house"], best["bare"])


def rows() -> list[dict[str, Any]]:
    """Return what was measured, as the bench's table wants it."""
    lines = []
    for people in (100, 500):
        measured = measure(people)
        share = measured.house / measured.bare
        what = f"intake in process, batches of {EVENTS} events of {people} people, {CONNECTIONS} senders"
        lines.append(
            {
                "what": what,
                "target": f">= {TARGET_PER_SECOND:,} events/s",
                "measured": f"{measured.house:,.0f} events/s",
                "ok": measured.house >= TARGET_PER_SECOND,
            }
        )
        lines.append(
            {
                "what": f"{what}, share of decode + AES-GCM + bare SQLite",
                "target": f">= {TARGET_SHARE:.0%}",
                "measured": f"{share:.0%} of {measured.bare:,.0f} events/s",
                "ok": share >= TARGET_SHARE,
            }
        )
    return lines


if __name__ == "__main__":
    for row in rows():
        print(f"{'ok  ' if row['ok'] else 'MISS'} {row['what']}: {row['measured']} (target {row['target']})")
