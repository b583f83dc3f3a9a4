"""A store and its key file, opened together; the key file of another store is refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assent.store import Store, path_of
from assent.store.topics import meta
from assent.terms.errors import Conflict, KeyFileMissing
from assent.vault import KeyFile, Vault

if TYPE_CHECKING:
    from assent.store import Session
    from assent.terms.clock import Clock
    from assent.terms.randomness import Randomness

_KEY_CHECK = "key_check"


def open_store(
    store: str, keys: Path | str | None, clock: Clock, randomness: Randomness, *, create: bool
) -> tuple[Store, Vault, Path]:
    """Open store and key file, making both where they are absent and may be made; return them and the key file's path.

    Raises `StoreUnavailable`, `StoreNewer`, `KeyFileMissing`, `KeyFileExposed`, `Conflict` for another store's key.
    """
    opened = Store.open(store, create=create)
    try:
        key_path = Path(keys) if keys is not None else default_key_path(store)
        vault = Vault(_key_file(opened, key_path, randomness, create=create), clock, randomness)
        opened.write(lambda session: _match(session, vault))
    except BaseException:
        opened.close()
        raise
    return opened, vault, key_path


def default_key_path(store: str) -> Path:
    """Return the default path of a store's key file: beside an SQLite file, else `assent.key` in this folder."""
    path = path_of(store)
    return path.with_suffix(".key") if path is not None else Path("assent.key")


def _key_file(store: Store, path: Path, randomness: Randomness, *, create: bool) -> KeyFile:
    """Open the key file; make one only for a store that was never sealed with another."""
    if KeyFile.exists(path):
        return KeyFile.open(path)
    with store.read() as session:
        sealed = meta.get(session, _KEY_CHECK) is not None
    if sealed or not create:
        raise KeyFileMissing("The key file of this store is missing.")
    return KeyFile.make(path, randomness)


def _match(session: Session, vault: Vault) -> None:
    """Refuse a key file that belongs to another store."""
    public_key = meta.get(session, _KEY_CHECK)
    if public_key is None:
        meta.put(session, _KEY_CHECK, vault.public_key)
    elif public_key != vault.public_key:
        raise Conflict(
            "This key file belongs to another store.", advice="Name the key file of this store; nothing was changed."
        )
