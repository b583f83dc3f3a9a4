"""Every operation of the API, in one list."""

from itertools import chain

from assent.web.app import OPERATIONS

EVERY = [*chain.from_iterable(OPERATIONS.values())]
