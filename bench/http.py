"""The server over HTTP, on one core, asked from another: decisions beside a fixed answer, intake beside bare steps."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from assent.engine import Engine
from bench.intake import BATCHES, EVENTS, bare, bodies

ITEMS = 3_500
PEOPLE = 1_000
HISTORY = 50
CONNECTIONS = 16
INTAKE_CONNECTIONS = 4
SECONDS = 4.0
ROUNDS = 5

DECIDE_PER_SECOND_MIN = 2_000
DECIDE_P99_MS_MAX = 15.0
DECIDE_SHARE_MIN = 0.30
INTAKE_PER_SECOND_MIN = 30_000
INTAKE_SHARE_MIN = 0.50

SERVER = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
from assent.web.__main__ import main
sys.exit(main(sys.argv[2:]))
"""


@dataclass
class Figures:
    """The figures of one run of requests: requests a second, and milliseconds of each."""

    per_second: float
    p50_ms: float
    p99_ms: float


@dataclass
class Connection(asyncio.Protocol):
    """One keep-alive connection that sends the next request as soon as an answer is whole."""

    requests: Iterator[bytes]
    until: float
    took: list[float]
    done: asyncio.Future[None]
    transport: asyncio.WriteTransport = field(init=False)
    began: float = 0.0
    wanted: int = -1
    buffer: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport
        self._send()

    def _send(self) -> None:
        request = next(self.requests, None)
        self.began = time.perf_counter()
        if request is None or self.began >= self.until:
            self.done.set_result(None)
            self.transport.close()
            return
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read one answer; anything but 200 ends the run."""
        self.buffer += data
        if self.wanted < 0:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self.buffer[:end].lower()
            if not head.startswith(b"http/1.1 200"):
                self.done.set_exception(RuntimeError(self.buffer.decode(errors="replace")))
                self.transport.close()
                return
            place = head.index(b"content-length:") + len(b"content-length:")
            self.wanted = end + 4 + int(head[place:].split(b"\r", 1)[0])
        if len(self.buffer) >= self.wanted:
            self.took.append(time.perf_counter() - self.began)
            self.buffer, self.wanted = b"", -1
            self._send()


async def _run(port: int, requests: Sequence[Iterator[bytes]], seconds: float) -> Figures:
    """Send each connection's requests one after the other until the time is over or they are all sent."""
    loop = asyncio.get_running_loop()
    took: list[float] = []
    began = time.perf_counter()
    waiting = []
    for each in requests:
        done: asyncio.Future[None] = loop.create_future()
        waiting.append(done)

        def connect(each: Iterator[bytes] = each, done: asyncio.Future[None] = done) -> Connection:
            return Connection(each, began + seconds, took, done)

        await loop.create_connection(connect, "127.0.0.1", port)
    await asyncio.gather(*waiting)
    passed = time.perf_counter() - began
    ordered = sorted(took)
    return Figures(
        per_second=len(took) / passed,
        p50_ms=ordered[len(ordered) // 2] * 1e3,
        p99_ms=ordered[int(len(ordered) * 0.99)] * 1e3,
    )


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """Write one request as bytes."""
    head = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    head += [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []
    return ("\r\n".join(head) + "\r\n\r\n").encode() + body


def _shop(folder: Path) -> tuple[str, str]:
    """Make a shop with items and people who said yes, train it, and return its URL and a secret key."""
    draw = random.Random(1)
    url = f"sqlite:///{folder / 'shop.db'}"
    with Engine.open(url) as engine:
        engine.put_items([{"id": f"P{number:05d}", "name": f"Item {number}", "price": 5.0} for number in range(ITEMS)])
        context = {"consent": {"categoryPreferences": {"personalize": True, "learn": True}}}
        now_ms = time.time_ns() // 1_000_000
        for start in range(0, PEOPLE, 50):
            events = [
                {
                    "type": "track",
                    "event": draw.choice(["Product Viewed", "Product Viewed", "Product Added"]),
                    "userId": f"customer-{person}",
                    "messageId": f"{person}-{number}",
                    "timestamp": time.strftime(
                        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_ms / 1000 - draw.randrange(86_400))
                    ),
                    "properties": {"product_id": f"P{min(int(draw.expovariate(1 / 600)), ITEMS - 1):05d}"},
                    "context": context,
                }
                for person in range(start, start + 50)
                for number in range(HISTORY)
            ]
            answer = engine.take_in(events)
            assert answer.stored == len(events), answer
        engine.train()
        return url, engine.keys.make("server", "bench")


@contextmanager
def _server(url: str, core: int) -> Iterator[tuple[int, psutil.Process]]:
    """Run the server on one core and yield its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(core), "--store", url, "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("assent listens"):
            raise RuntimeError("The server did not start.")
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _peak_mb(process: psutil.Process) -> float:
    """Return the peak memory of the largest server process, in MB."""
    peaks = []
    for each in [process, *process.children(recursive=True)]:
        lines = Path(f"/proc/{each.pid}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")]
    return max(peaks)


def _deciding(port: int, key: str) -> tuple[Figures, Figures, Figures, float]:
    """Ask for decisions, for the fixed answer, and what was never asked before, in turns; the best round counts.

    Last comes the share of decisions in fixed answers, that of the middle round.
    """
    draw = random.Random(2)

    def questions(body: Callable[[], bytes]) -> Iterator[bytes]:
        while True:
            yield request("POST", "/v1/decide", key, body())

    def fixed() -> Iterator[bytes]:
        while True:
            yield request("GET", "/.well-known/gpc.json", key)

    def again() -> bytes:
        return b'{"person":"user_id:customer-%d","count":10}' % draw.randrange(PEOPLE)

    def new() -> bytes:
        items = b'"P%05d","P%05d"' % (draw.randrange(ITEMS), draw.randrange(ITEMS))
        return b'{"person":"user_id:customer-%d","count":10,"exclude":[%b]}' % (draw.randrange(PEOPLE), items)

    def run(source: Callable[[], Iterator[bytes]], seconds: float = SECONDS) -> Figures:
        return asyncio.run(_run(port, [source() for _ in range(CONNECTIONS)], seconds))

    firsts = [run(partial(questions, new)) for _ in range(ROUNDS)]
    run(fixed, 1.0)
    run(partial(questions, again), 2.0)
    rounds = [(run(partial(questions, again)), run(fixed)) for _ in range(ROUNDS)]
    share = sorted(decide.per_second / fixed.per_second for decide, fixed in rounds)[ROUNDS // 2]
    decided, answered = zip(*rounds, strict=True)
    decide, fixed_best, first = (max(each, key=lambda run: run.per_second) for each in (decided, answered, firsts))
    return decide, fixed_best, first, share


def _cpu_seconds(process: psutil.Process) -> float:
    """Return how long the server's processes have computed."""
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


def _intake(
    port: int, key: str, folder: Path, cores: tuple[int, int], process: psutil.Process
) -> tuple[float, float, float, float, float]:
    """Send batches, and do the bare steps to the same bytes on the server's core; the best round of each counts.

    Returns events per second of server and bare steps, the share of the middle round, and the microseconds that both
    computed for one event.
    """
    rates, cpu = [], [float("inf"), float("inf")]
    events = BATCHES * EVENTS
    for seed in range(ROUNDS):
        sent = bodies(500, seed)
        step = bare(_folder(folder, seed))
        os.sched_setaffinity(0, {cores[0]})
        began, computed = time.perf_counter(), time.process_time()
        for body in sent:
            step(body)
        bare_rate = events / (time.perf_counter() - began)
        cpu[1] = min(cpu[1], (time.process_time() - computed) / events * 1e6)
        os.sched_setaffinity(0, {cores[1]})
        shared = iter([request("POST", "/v1/batch", key, body) for body in sent])
        computed = _cpu_seconds(process)
        figures = asyncio.run(_run(port, [shared] * INTAKE_CONNECTIONS, 600.0))
        rates.append((figures.per_second * EVENTS, bare_rate))
        cpu[0] = min(cpu[0], (_cpu_seconds(process) - computed) / events * 1e6)
    house, bare_best = (max(each) for each in zip(*rates, strict=True))
    return house, bare_best, sorted(one / other for one, other in rates)[ROUNDS // 2], cpu[0], cpu[1]


def _folder(folder: Path, seed: int) -> Path:
    made = folder / f"bare-{seed}"
    made.mkdir()
    return made


def rows() -> list[dict[str, Any]]:
    """Return what was measured, as the bench's table wants it."""
    own = os.sched_getaffinity(0)
    cores = (min(own), max(own))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url, key = _shop(folder)
        # Each kind of load gets a server of its own, so that neither finds the other's memory.
        with _server(url, cores[0]) as (port, process):
            os.sched_setaffinity(0, {cores[1]})
            decide, fixed, new, share = _deciding(port, key)
            peak = _peak_mb(process)
        with _server(url, cores[0]) as (port, process):
            house, pipeline, intake_share, house_us, pipeline_us = _intake(port, key, folder, cores, process)
            peak = max(peak, _peak_mb(process))
        os.sched_setaffinity(0, own)
    what = f"decide over HTTP, {ITEMS:,} items, histories of {HISTORY}, {CONNECTIONS} connections"
    intake = f"intake over HTTP, batches of {EVENTS}"
    figures = [
        (
            what,
            f">= {DECIDE_PER_SECOND_MIN:,}/s",
            f"{decide.per_second:,.0f}/s",
            decide.per_second >= DECIDE_PER_SECOND_MIN,
        ),
        (
            f"{what}, 99th percentile",
            f"< {DECIDE_P99_MS_MAX:.0f} ms",
            f"{decide.p99_ms:.1f} ms (half: {decide.p50_ms:.1f} ms)",
            decide.p99_ms < DECIDE_P99_MS_MAX,
        ),
        (
            f"{what}, share of a fixed answer",
            f">= {DECIDE_SHARE_MIN:.0%}",
            f"{share:.0%} in the middle round; {fixed.per_second:,.0f}/s at best",
            share >= DECIDE_SHARE_MIN,
        ),
        (
            f"{what}, every question one that nobody asked before",
            "no target of its own",
            f"{new.per_second:,.0f}/s, 99th percentile {new.p99_ms:.1f} ms",
            True,
        ),
        (
            intake,
            f">= {INTAKE_PER_SECOND_MIN:,} events/s",
            f"{house:,.0f} events/s ({house_us:.0f} us of CPU each, bare steps {pipeline_us:.0f})",
            house >= INTAKE_PER_SECOND_MIN,
        ),
        (
            f"{intake}, share of decode + AES-GCM + bare SQLite",
            f">= {INTAKE_SHARE_MIN:.0%}",
            f"{intake_share:.0%} in the middle round; {pipeline:,.0f} events/s at best",
            intake_share >= INTAKE_SHARE_MIN,
        ),
    ]
    return [
        {"what": what, "target": target, "measured": measured, "ok": ok, "peak_mb": peak}
        for what, target, measured, ok in figures
    ]


if __name__ == "__main__":
    for row in rows():
        print(f"{'ok  ' if row['ok'] else 'MISS'} {row['what']}: {row['measured']} (target {row['target']})")
