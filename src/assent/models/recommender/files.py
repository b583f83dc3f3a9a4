"""Files of solved models: written whole or not at all, checked as a whole, mapped instead of read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.form import Form
from assent.models.recommender.settings import RecommenderSettings
from assent.models.recommender.solver import form_of_arrays
from assent.sums import PairSum
from assent.terms.errors import AssentError, Corrupt, NotFound, StoreUnavailable

_MAGIC: Final = b"assent\x00model\r\n"
_VERSION: Final = 1
#: magic, version, bytes of the description, bytes of the whole file
_HEADER: Final = struct.Struct("<14sHIQ")
_ALIGNMENT: Final = 64
_CHUNK_BYTES: Final = 1 << 24
_DIGEST_BYTES: Final = 32
_ADVICE: Final = "Fit the model again, or take the file from a backup."


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A solved model as its file has it: settings, sum, and the solved arrays of one kind of form."""

    settings: RecommenderSettings
    kind: str
    total: PairSum
    arrays: Mapping[str, NDArray[Any]]

    @classmethod
    def of(cls, settings: RecommenderSettings, form: Form) -> Self:
        """Take the sum and the arrays of a form; they are its own, so it must not change while they are read."""
        return cls(settings, form.kind, form.total.copy(), form.arrays())

    def freeze(self) -> Self:
        """Make the arrays read-only, for the form too: its next fold makes its own arrays."""
        for array in self.arrays.values():
            array.flags.writeable = False
        return self

    def form(self) -> Form:
        """Return a form of its own over the same arrays. Raises `Corrupt` or `KeyError` when they do not fit."""
        return form_of_arrays(self.kind, self.total.copy(), self.settings, self.arrays)


def save(path: Path, snapshot: Snapshot) -> None:
    """Write to `path` through a temporary file beside it. Raises `StoreUnavailable`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            write(file, snapshot)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreUnavailable(
            "The model file cannot be written.", advice="Check the folder, its rights and the free space."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def write(file: BinaryIO, snapshot: Snapshot) -> None:
    """Write a model and its digest to an open file, and sync it. Raises `OSError`."""
    digest = hashlib.sha256()
    for piece in _pieces(snapshot):
        digest.update(piece)
        file.write(piece)
    file.write(digest.digest())
    file.flush()
    os.fsync(file.fileno())


def _pieces(snapshot: Snapshot) -> Iterator[bytes | memoryview]:
    """Yield the file's bytes but for the digest at its end."""
    starts, indices, values = snapshot.total.arrays()
    arrays: dict[str, NDArray[Any]] = {
        "starts": starts,
        "indices": indices,
        "values": values,
        "counts": snapshot.total.counts,
        **snapshot.arrays,
    }
    places = {}
    position = 0
    for name, array in arrays.items():
        places[name] = {"dtype": array.dtype.newbyteorder("<").str, "shape": list(array.shape), "at": position}
        position += _padded(array.nbytes)
    described = {
        "settings": dataclasses.asdict(snapshot.settings),
        "kind": snapshot.kind,
        "people": snapshot.total.people,
        "arrays": places,
    }
    description = json.dumps(described, sort_keys=True).encode()
    description += b" " * (_padded(_HEADER.size + len(description)) - _HEADER.size - len(description))
    whole = _HEADER.size + len(description) + position + _DIGEST_BYTES
    yield _HEADER.pack(_MAGIC, _VERSION, len(description), whole) + description
    for array in arrays.values():
        flat = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        for first in range(0, len(flat), _CHUNK_BYTES):
            yield flat[first : first + _CHUNK_BYTES]
        yield b"\x00" * (_padded(array.nbytes) - array.nbytes)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def sync_folder(folder: Path) -> None:
    """Sync the names of a folder's files to the disk. Raises `OSError`."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path) -> Snapshot:
    """Map the file at `path` and check every byte of it; processes that map it share its pages.

    Raises `NotFound`, `StoreUnavailable` or `Corrupt`.
    """
    try:
        stored = np.memmap(path, np.uint8, mode="r")
    except FileNotFoundError as error:
        raise NotFound("There is no model file at this path.", advice="Save a model there first.") from error
    except ValueError as error:
        raise Corrupt("The model file is empty.", advice=_ADVICE) from error
    except OSError as error:
        raise StoreUnavailable("The model file cannot be read.", advice="Check the path and its rights.") from error
    start, description = _checked_description(stored)
    try:
        return _snapshot_of(stored, start, json.loads(description))
    except (AttributeError, KeyError, TypeError, ValueError, AssentError) as error:
        raise Corrupt("The model file is not one that this program wrote.", advice=_ADVICE) from error


def _checked_description(stored: NDArray[np.uint8]) -> tuple[int, bytes]:
    """Return the start of the arrays and the file's description, once its digest holds."""
    if len(stored) < _HEADER.size + _DIGEST_BYTES:
        raise _altered()
    magic, version, length, whole = _HEADER.unpack(stored[: _HEADER.size].tobytes())
    if magic != _MAGIC:
        raise Corrupt("This is not a model file.", advice=_ADVICE)
    if version != _VERSION:
        raise Corrupt(
            f"The model file has version {version}; this program reads version {_VERSION}.",
            advice="Fit the model again with this program, or use the one that wrote it.",
        )
    if whole != len(stored):
        raise _altered()
    digest = hashlib.sha256()
    for first in range(0, whole - _DIGEST_BYTES, _CHUNK_BYTES):
        digest.update(stored[first : min(first + _CHUNK_BYTES, whole - _DIGEST_BYTES)].data)
    if digest.digest() != stored[-_DIGEST_BYTES:].tobytes():
        raise _altered()
    start = _HEADER.size + length
    return start, stored[_HEADER.size : start].tobytes()


def _altered() -> Corrupt:
    return Corrupt("The model file is truncated or altered.", advice=_ADVICE)


def _snapshot_of(stored: NDArray[np.uint8], start: int, described: dict[str, Any]) -> Snapshot:
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in described["arrays"].items():
        first = start + place["at"]
        dtype = np.dtype(place["dtype"])
        size = dtype.itemsize * int(np.prod(place["shape"], dtype=np.int64))
        arrays[name] = np.asarray(stored[first : first + size]).view(dtype).reshape(place["shape"])
    rows = (arrays.pop("starts"), arrays.pop("indices"), arrays.pop("values"))
    total = PairSum.from_arrays(rows, arrays.pop("counts"), described["people"])
    snapshot = Snapshot(RecommenderSettings(**described["settings"]), described["kind"], total, arrays)
    snapshot.form()  # refuses arrays that do not belong to the sum
    return snapshot
