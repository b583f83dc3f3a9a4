"""The commands, one file a capability.

Each file names its commands in `COMMANDS` and, for each, its place in `assent --help` in `ORDER`; nothing else has to
know of it.
"""
