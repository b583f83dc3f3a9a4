"""The key file: the secrets that open a store. Without it nothing sealed can be read; its owner can read everything.

It holds the key-encryption keys (each with an id), the root of the blind index, a pepper for event ids and the
Ed25519 signing key of receipts, certificates and log checkpoints. It is kept apart from the data and its backups.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from assent.terms.clock import SystemClock
from assent.terms.errors import Conflict, Corrupt, KeyFileExists, KeyFileExposed, KeyFileMissing, StoreUnavailable
from assent.terms.limits import limit
from assent.terms.randomness import SystemRandomness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assent.terms.clock import Clock
    from assent.terms.randomness import Randomness

FORMAT = "assent-keys-1"
SECRET_BYTES = 32
KEY_ID_BYTES = 4
_FILE_BYTES_MAX = limit("key_file_bytes_max")
MODE = 0o600
OTHERS = 0o077

#: The environment variable that may hold the base64 of a key file's content instead of a file.
VARIABLE = "ASSENT_KEYS"


class _Stored(msgspec.Struct, forbid_unknown_fields=True):
    """The file's content; bytes are base64 in the JSON text."""

    format: str
    created_ms: int
    current: str
    keks: dict[str, bytes]
    index_root: bytes
    pepper: bytes
    signing: bytes


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The secrets of one store, each 32 bytes; printing it shows none of them."""

    #: Key-encryption keys by key id; `current` is the one that wraps new person keys.
    keks: Mapping[str, bytes] = field(repr=False)
    current: str
    index_root: bytes = field(repr=False)
    pepper: bytes = field(repr=False)
    #: The seed of the Ed25519 signing key.
    signing: bytes = field(repr=False)
    created_ms: int
    #: The path of the file, also when the secrets came from the environment.
    path: Path

    @classmethod
    def make(cls, path: Path | str, randomness: Randomness | None = None, *, clock: Clock | None = None) -> KeyFile:
        """Make new secrets and write them to `path`, readable by its owner only.

        Raises `KeyFileExists` when something is at `path`: it is never overwritten.
        """
        source = SystemRandomness() if randomness is None else randomness
        current = _new_id(source)
        made = cls(
            keks={current: source.bytes(SECRET_BYTES)},
            current=current,
            index_root=source.bytes(SECRET_BYTES),
            pepper=source.bytes(SECRET_BYTES),
            signing=source.bytes(SECRET_BYTES),
            created_ms=(SystemClock() if clock is None else clock).now_ms(),
            path=Path(path),
        )
        made.save(path)
        return made

    @classmethod
    def exists(cls, path: Path | str, environment: Mapping[str, str] | None = None) -> bool:
        """Tell whether `ASSENT_KEYS` is set or something is at `path`."""
        return bool(_variable(environment)) or Path(path).exists()

    @classmethod
    def open(cls, path: Path | str, environment: Mapping[str, str] | None = None) -> KeyFile:
        """Read the secrets from `ASSENT_KEYS` (base64 of a key file's content) when it is set, else from the file.

        Raises `KeyFileMissing` when the file is not there, `KeyFileExposed` when others than its owner may read it,
        and `Corrupt` when it is not a key file.
        """
        text = _variable(environment)
        return cls.parse(_decode(text) if text else _read(path), path)

    @classmethod
    def parse(cls, content: bytes, path: Path | str) -> KeyFile:
        """Read a key file's content; raises `Corrupt` when it is not one."""
        try:
            stored = msgspec.json.decode(content, type=_Stored)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise _not_a_key_file() from error
        secrets = [*stored.keks.values(), stored.index_root, stored.pepper, stored.signing]
        if (
            stored.format != FORMAT
            or stored.current not in stored.keks
            or any(len(secret) != SECRET_BYTES for secret in secrets)
        ):
            raise _not_a_key_file()
        return cls(
            keks=stored.keks,
            current=stored.current,
            index_root=stored.index_root,
            pepper=stored.pepper,
            signing=stored.signing,
            created_ms=stored.created_ms,
            path=Path(path),
        )

    def content(self) -> bytes:
        """Return the content of the file: one JSON object, UTF-8."""
        stored = _Stored(
            format=FORMAT,
            created_ms=self.created_ms,
            current=self.current,
            keks=dict(self.keks),
            index_root=self.index_root,
            pepper=self.pepper,
            signing=self.signing,
        )
        return msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n"

    def save(self, path: Path | str) -> None:
        """Write the secrets to a new file of mode 0600; raises `KeyFileExists` when something is there."""
        target = Path(path)
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        except FileExistsError as error:
            raise KeyFileExists(f"A key file is already at {path}.") from error
        except OSError as error:
            raise StoreUnavailable(
                f"The key file {path} cannot be written.",
                advice="Name a directory that exists and that you may write to.",
            ) from error
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, MODE)
            file.write(self.content())
            file.flush()
            os.fsync(descriptor)
        _sync_directory(target.parent)

    def rotated(self, *, randomness: Randomness | None = None) -> KeyFile:
        """Return the same secrets with a fresh current key-encryption key beside the old ones.

        Save it to a new file, open the store with it, and re-wrap (`Vault.rewrap`); then `retired()` drops the
        old ones.
        """
        source = SystemRandomness() if randomness is None else randomness
        current = _new_id(source)
        return replace(self, keks={**self.keks, current: source.bytes(SECRET_BYTES)}, current=current)

    def retired(self) -> KeyFile:
        """Return the same secrets with the current key-encryption key only."""
        return replace(self, keks={self.current: self.keks[self.current]})

    def check_same_store(self, other: KeyFile) -> None:
        """Raise `Conflict` unless `other` has the same index root, pepper and signing key."""
        if (self.index_root, self.pepper, self.signing) != (other.index_root, other.pepper, other.signing):
            raise Conflict(
                "The other key file belongs to another store.",
                advice="Make the new file from this store's own key file.",
            )


def _variable(environment: Mapping[str, str] | None) -> str | None:
    return (os.environ if environment is None else environment).get(VARIABLE)


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Corrupt(
            f"{VARIABLE} is not base64.", advice=f"Set {VARIABLE} to the output of `base64 -w0 KEYFILE`."
        ) from error


def _read(path: Path | str) -> bytes:
    """Read the file, unless others than its owner could have read it before."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyFileMissing(f"The key file {path} cannot be opened.") from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_mode & OTHERS:
            raise KeyFileExposed(
                f"The key file {path} may be read by others than its owner.",
                advice=f"Run `chmod 600 {path}`; if others may have read it, they may open a copy of the store.",
            )
        return file.read(_FILE_BYTES_MAX)


def _new_id(source: Randomness) -> str:
    return f"k-{source.bytes(KEY_ID_BYTES).hex()}"


def _not_a_key_file() -> Corrupt:
    return Corrupt(
        "This is not a key file, or it was cut short.",
        advice="Put back the key file that `assent init` made; a copy kept elsewhere is as good.",
    )


def _sync_directory(directory: Path) -> None:
    """Make the new name in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
