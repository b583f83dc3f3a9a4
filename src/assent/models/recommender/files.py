"""A solved model as one file: written whole or not at all, checked as a whole, mapped instead of read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from assent.models.recommender.form import Form
from assent.models.recommender.settings import Settings
from assent.models.recommender.solving import form_of_arrays
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


def save(path: Path, settings: Settings, form: Form) -> None:
    """Write settings, sum and solved arrays to `path` through a temporary file beside it. Raises `StoreUnavailable`."""
    starts, indices, values = form.total.arrays()
    arrays: dict[str, NDArray[Any]] = {
        "starts": starts,
        "indices": indices,
        "values": values,
        "counts": form.total.counts,
        **form.arrays(),
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with temporary.open("wb") as file:
            digest = hashlib.sha256()
            for piece in _pieces(settings, form, arrays):
                digest.update(piece)
                file.write(piece)
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        message = "The model file cannot be written."
        raise StoreUnavailable(message, advice="Check the folder, its rights and the free space.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _pieces(settings: Settings, form: Form, arrays: dict[str, NDArray[Any]]) -> Iterator[bytes | memoryview]:
    """Yield the file's bytes but for the digest at its end."""
    places = {}
    position = 0
    for name, array in arrays.items():
        places[name] = {"dtype": array.dtype.newbyteorder("<").str, "shape": list(array.shape), "at": position}
        position += _padded(array.nbytes)
    told = {
        "settings": dataclasses.asdict(settings),
        "kind": form.kind,
        "people": form.total.people,
        "arrays": places,
    }
    description = json.dumps(told, sort_keys=True).encode()
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path) -> tuple[Settings, Form]:
    """Map the file at `path` and check every byte of it. Raises `NotFound`, `StoreUnavailable` or `Corrupt`."""
    try:
        stored = np.memmap(path, np.uint8, mode="c")
    except FileNotFoundError as error:
        message = "There is no model file at this path."
        raise NotFound(message, advice="Save a model there first.") from error
    except ValueError as error:
        message = "The model file is empty."
        raise Corrupt(message, advice=_ADVICE) from error
    except OSError as error:
        message = "The model file cannot be read."
        raise StoreUnavailable(message, advice="Check the path and its rights.") from error
    start, description = _checked_description(stored)
    try:
        return _put_together(stored, start, json.loads(description))
    except (AttributeError, KeyError, TypeError, ValueError, AssentError) as error:
        message = "The model file is not one that this program wrote."
        raise Corrupt(message, advice=_ADVICE) from error


def _checked_description(stored: NDArray[np.uint8]) -> tuple[int, bytes]:
    """Return where the arrays start and what the file says of itself, once its digest holds."""
    message = "The model file is truncated or altered."
    if len(stored) < _HEADER.size + _DIGEST_BYTES:
        raise Corrupt(message, advice=_ADVICE)
    magic, version, length, whole = _HEADER.unpack(stored[: _HEADER.size].tobytes())
    if magic != _MAGIC:
        message = "This is not a model file."
        raise Corrupt(message, advice=_ADVICE)
    if version != _VERSION:
        message = f"The model file has version {version}; this program reads version {_VERSION}."
        raise Corrupt(message, advice="Fit the model again with this program, or use the one that wrote it.")
    if whole != len(stored):
        raise Corrupt(message, advice=_ADVICE)
    digest = hashlib.sha256()
    for first in range(0, whole - _DIGEST_BYTES, _CHUNK_BYTES):
        digest.update(stored[first : min(first + _CHUNK_BYTES, whole - _DIGEST_BYTES)].data)
    if digest.digest() != stored[-_DIGEST_BYTES:].tobytes():
        raise Corrupt(message, advice=_ADVICE)
    start = _HEADER.size + length
    return start, stored[_HEADER.size : start].tobytes()


def _put_together(stored: NDArray[np.uint8], start: int, told: dict[str, Any]) -> tuple[Settings, Form]:
    arrays: dict[str, NDArray[Any]] = {}
    for name, place in told["arrays"].items():
        first = start + place["at"]
        dtype = np.dtype(place["dtype"])
        size = dtype.itemsize * int(np.prod(place["shape"], dtype=np.int64))
        arrays[name] = np.asarray(stored[first : first + size]).view(dtype).reshape(place["shape"])
    settings = Settings(**told["settings"])
    rows = (arrays["starts"], arrays["indices"], arrays["values"])
    total = PairSum.from_arrays(rows, arrays["counts"], told["people"])
    return settings, form_of_arrays(told["kind"], total, settings, arrays)
