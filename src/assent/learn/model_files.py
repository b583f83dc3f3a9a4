"""Files of solved models, shared by the processes of a store: published whole, mapped, removed when a person leaves.

One file is kept, named by the version of its sum. There are two locks; the system releases both when a process dies. A
process has `solving` while it makes a model, so that the others wait instead of making it too. It has the folder's
own lock for moments, while a name appears or goes. No file contains a person who left once `retire` returns: a
publisher looks at the store under the folder's lock before a name appears, and `retire` removes unfinished files too.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import itertools
import logging
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assent.models.recommender import files
from assent.terms.errors import Corrupt, NotFound, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from assent.models.recommender.files import Snapshot

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
ENDING: Final = ".models"
SOLVING: Final = "solving.lock"

_NAME: Final = re.compile(r"recommender-(\d{12})\.model")
_UNFINISHED: Final = re.compile(r"recommender-(\d{12})\.model\.\d+-\d+\.part")
_log = logging.getLogger("assent.learn")


def folder_of(database: Path | None, named: str) -> Path | None:
    """Return the folder of a store's models: the named one, else one beside the database file, else None."""
    if named:
        return Path(named)
    return None if database is None else database.with_name(database.name + ENDING)


class ModelFolder:
    """The model files of one store; without a path no file is published, and every process solves for itself."""

    def __init__(self, path: Path | None) -> None:
        """Use the folder `path`, which is made when a model is first published."""
        self.path = path
        self._within = threading.Lock()
        self._numbers = itertools.count()

    @contextlib.contextmanager
    def solving(self) -> Iterator[None]:
        """Wait until no other thread or process makes a model, and let the others wait meanwhile."""
        with self._within, contextlib.ExitStack() as stack:
            if self.path is not None:
                with contextlib.suppress(OSError):  # a folder that cannot be used is no reason not to learn
                    stack.enter_context(self._locked(self._made() / SOLVING))
            yield

    # -- finding -------------------------------------------------------------------------------------------------

    def newest(self, least: int, most: int) -> tuple[int, Snapshot] | None:
        """Map the newest file of a version from `least` to `most` and return both, None without one.

        A file that is truncated, altered or of another version of the program is removed, and the log says so.
        """
        try:
            versions = sorted(self._versions(), reverse=True)
        except OSError:
            versions = []
        for version in versions:
            if least <= version <= most:
                try:
                    return version, files.load(self._file(version))
                except (NotFound, StoreUnavailable):
                    continue
                except Corrupt as error:
                    self.refuse(version, str(error))
        return None

    def refuse(self, version: int, why: str) -> None:
        """Remove a file that no process may use, and log the reason."""
        _log.warning("The model file of version %d was removed: %s It is made anew from the sum.", version, why)
        with contextlib.suppress(OSError):
            self._file(version).unlink(missing_ok=True)

    def _versions(self) -> list[int]:
        return [int(found[1]) for name in self._names() if (found := _NAME.fullmatch(name))]

    def _names(self) -> list[str]:
        try:
            return [] if self.path is None else os.listdir(self.path)  # noqa: PTH208 - names alone are wanted
        except FileNotFoundError:
            return []

    def _file(self, version: int) -> Path:
        return self._folder() / f"recommender-{version:012d}.model"

    def _folder(self) -> Path:
        if self.path is None:
            raise StoreUnavailable("This store has no folder for models.", advice="Name one in ASSENT_MODELS_FOLDER.")
        return self.path

    # -- publishing ----------------------------------------------------------------------------------------------

    def publish(self, snapshot: Snapshot, version: int, last_left: Callable[[], int]) -> bool:
        """Write a model to its file in place of the older ones; return True when the file is there now.

        `last_left` returns the version at which a person last left the sum: an older model is not published. A model
        that cannot be written is not published either; the log names the cause.
        """
        if self.path is None:
            return False
        unfinished = self._file(version).with_suffix(f".model.{os.getpid()}-{next(self._numbers)}.part")
        try:
            return self._write(snapshot, version, unfinished, last_left)
        except FileNotFoundError:  # a person left, so `retire` removed it
            return False
        except OSError as error:
            _log.warning("The model file of version %d cannot be written: %s", version, error.strerror)
            return False
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)

    def _write(self, snapshot: Snapshot, version: int, unfinished: Path, last_left: Callable[[], int]) -> bool:
        folder = self._made()
        with self._locked(folder):
            if last_left() > version:
                return False
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            files.write(file, snapshot)
        with self._locked(folder):
            if last_left() > version:
                return False
            unfinished.rename(self._file(version))
            for older in self._versions():
                if older < version:
                    self._file(older).unlink(missing_ok=True)
            files.sync_folder(folder)
        return True

    def _made(self) -> Path:
        folder = self._folder()
        folder.mkdir(FOLDER_MODE, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(FOLDER_MODE)
        return folder

    # -- removing ------------------------------------------------------------------------------------------------

    def retire(self, left: int) -> int:
        """Remove every file older than the version `left` at which a person left, unfinished ones too.

        Returns the number of removed files, once that is durable. Raises `StoreUnavailable` when a file cannot be
        removed: then the person is not gone yet.
        """
        return self._remove(lambda version: version < left, lambda version: version < left)

    def tidy(self, head: Callable[[], tuple[int, int]]) -> int:
        """Remove the files of a crash or a restored backup: older than the last leaving, or newer than the sum.

        `head` returns the versions of the sum and of the last leaving; it is called once, after the folder was read.
        Returns the number of removed files. Raises `StoreUnavailable` when a file cannot be removed.
        """
        versions = functools.cache(head)

        def useless(version: int) -> bool:
            newest, left = versions()
            return not left <= version <= newest

        with contextlib.ExitStack() as stack:
            nobody_solves = False
            if self._there():
                with contextlib.suppress(OSError):  # another process solves: unfinished files may be its own
                    stack.enter_context(self._locked(self._folder() / SOLVING, fcntl.LOCK_EX | fcntl.LOCK_NB))
                    nobody_solves = True
            return self._remove(useless, lambda version: nobody_solves or useless(version))

    def _there(self) -> bool:
        return self.path is not None and self.path.is_dir()

    def _remove(self, finished: Callable[[int], bool], unfinished: Callable[[int], bool]) -> int:
        """Remove finished and unfinished files of the versions for which the functions return True."""
        if not self._there():
            return 0
        removed = 0
        try:
            with self._locked(self._folder()):
                for name in self._names():
                    whole, half = _NAME.fullmatch(name), _UNFINISHED.fullmatch(name)
                    if (whole and finished(int(whole[1]))) or (half and unfinished(int(half[1]))):
                        (self._folder() / name).unlink(missing_ok=True)
                        removed += 1
                if removed:
                    files.sync_folder(self._folder())
        except OSError as error:
            raise StoreUnavailable(
                "A model file that may still contain a person who left cannot be removed.",
                advice=f"Give the server leave to write in {self.path}, then ask again.",
            ) from error
        return removed

    @contextlib.contextmanager
    def _locked(self, path: Path, how: int = fcntl.LOCK_EX) -> Iterator[None]:
        """Take the system's lock on a file or the folder. Raises `OSError`."""
        kind = os.O_RDONLY if path == self.path else os.O_RDWR | os.O_CREAT
        descriptor = os.open(path, kind | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(descriptor, how)
            yield
        finally:
            os.close(descriptor)
