"""A process of its own that writes until it is killed: `python child.py URL NAME`; prints what is acknowledged."""

import sys

from assent.store import Store
from assent.store.topics import meta


def main(url, name):
    """Write the numbers from 0 on, one fact each, in bursts that share transactions, and print each once durable."""
    store = Store.open(url)
    print("open", flush=True)
    number = 0
    while True:
        burst = range(number, number + 5)
        futures = [
            store.submit(
                lambda session, n=n: (meta.put(session, f"{name}{n}", "x" * 500), meta.allocate(session, "shared"))[1]
            )
            for n in burst
        ]
        for n, future in zip(burst, futures, strict=True):
            print(n, future.result(), flush=True)
        number += 5


main(*sys.argv[1:])
