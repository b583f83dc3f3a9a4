"""Short ways for the store's tests to write, to read, to hold the writer, and to do one thing on many threads."""

import threading

from assent.store.topics import meta


def put(key, value="x"):
    """Return a job that writes one fact."""
    return lambda session: meta.put(session, key, value)


def facts(store, *keys):
    """Read facts."""
    with store.read() as session:
        return [meta.get(session, key) for key in keys]


def on(store, function, *arguments):
    """Call a topic function in a write job."""
    return store.write(lambda session: function(session, *arguments))


def read(store, function, *arguments):
    """Call a topic function in a read, and read generators to their end."""
    with store.read() as session:
        answer = function(session, *arguments)
        return list(answer) if hasattr(answer, "__next__") else answer


class Gate:
    """A write job that holds the writer until it is let go, so that jobs behind it share one transaction."""

    def __init__(self, store):
        self.entered, self.go = threading.Event(), threading.Event()
        self.future = store.submit(self)
        assert self.entered.wait(10)

    def __call__(self, session):
        self.entered.set()
        assert self.go.wait(10)

    def open(self):
        self.go.set()
        self.future.result(10)


def at_once(count, act):
    """Do the same on so many threads at once; return when all have ended."""
    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
