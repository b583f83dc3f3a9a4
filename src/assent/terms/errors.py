"""One error tree: every error has a code, an HTTP status and advice that says what to do next.

A refusal by consent is a value (`assent.terms.permits.Refusal`), never an error.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "AssentError",
    "Busy",
    "Conflict",
    "Corrupt",
    "Forbidden",
    "InvalidInput",
    "KeyFileExists",
    "KeyFileExposed",
    "KeyFileMissing",
    "Loading",
    "MethodNotAllowed",
    "NotEnoughMemory",
    "NotFound",
    "NotLearned",
    "PermitNeeded",
    "SparkUnavailable",
    "StoreNewer",
    "StoreUnavailable",
    "SumOverflow",
    "TooLarge",
    "Unauthenticated",
    "UnknownPurpose",
]


class AssentError(Exception):
    """The root of every error a caller can see.

    `message` says what is wrong, `advice` what to do next; neither may carry personal data.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong"
    default_advice: ClassVar[str] = "Run `assent doctor` on the store, and read what it reports."

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        """Take the sentences of `message` and `advice`; without advice the class's own is used."""
        super().__init__(message)
        self.message = message
        self.advice = self.default_advice if advice is None else advice

    def __str__(self) -> str:
        """Return the message and the advice in one line."""
        return f"{self.message} {self.advice}"


class InvalidInput(AssentError):
    """The input does not have the shape that the act needs."""

    code = "invalid_input"
    status = 400
    title = "The request is not valid"
    default_advice = "Correct the named field and send it again."


class UnknownPurpose(AssentError):
    """A purpose was named that no notice describes."""

    code = "unknown_purpose"
    status = 422
    title = "No such purpose"
    default_advice = "Use the id of a declared purpose; the list of purposes has them all."


class TooLarge(AssentError):
    """The body, or one part of it, is over a limit."""

    code = "too_large"
    status = 413
    title = "The request is too large"
    default_advice = "Send less at once: smaller batches, or shorter values."


class Unauthenticated(AssentError):
    """The request has no key, or a key that this store never issued."""

    code = "unauthenticated"
    status = 401
    title = "A key is needed"
    default_advice = "Send a secret key as `Authorization: Bearer KEY`; `assent init` shows it once."


class Forbidden(AssentError):
    """The key is known, but its role may not do this."""

    code = "forbidden"
    status = 403
    title = "This key may not do that"
    default_advice = "Use a key whose role allows it; browser write keys can only send events."


class NotFound(AssentError):
    """The named thing is not in the store."""

    code = "not_found"
    status = 404
    title = "Not found"
    default_advice = "Check the name; a person who was erased is no longer known."


class MethodNotAllowed(AssentError):
    """The route exists, but not with this method."""

    code = "method_not_allowed"
    status = 405
    title = "Method not allowed"
    default_advice = "The Allow header lists the methods of this route; GET /openapi.json lists every route."


class Conflict(AssentError):
    """The act does not fit the state that is stored."""

    code = "conflict"
    status = 409
    title = "The act does not fit what is stored"


class Busy(AssentError):
    """The store could not take the write in time; nothing was lost that had been acknowledged."""

    code = "busy"
    status = 503
    title = "The store is busy"
    default_advice = "Send it again after a second."


class Loading(AssentError):
    """The model has to be loaded before this can be answered; that is under way."""

    code = "loading"
    status = 503
    title = "The model is being loaded"
    default_advice = "Ask again after a second."


class StoreUnavailable(AssentError):
    """The store cannot be opened or reached."""

    code = "store_unavailable"
    status = 503
    title = "The store cannot be opened"
    default_advice = "Check the store URL and that the database server is running."


class StoreNewer(AssentError):
    """The store was written by a newer version of assent."""

    code = "store_newer"
    title = "The store is newer than this program"
    default_advice = "Install the version of assent that wrote it, or a later one; nothing was changed."


class KeyFileMissing(AssentError):
    """The key file that opens the store is not at its place."""

    code = "key_file_missing"
    title = "The key file is missing"
    default_advice = "Put the key file back, or name the place where it is; without it nothing sealed can be opened."


class KeyFileExists(AssentError):
    """A key file is at the place for a new one; it is never overwritten."""

    code = "key_file_exists"
    status = 409
    title = "A key file is already there"
    default_advice = "Use it as it is, or name another place; overwriting it would lose every sealed record."


class KeyFileExposed(AssentError):
    """Other users of this machine may read the key file."""

    code = "key_file_exposed"
    title = "The key file can be read by others"
    default_advice = "Run `chmod 600` on the key file; if others may have read it, they may open a copy of the store."


class Corrupt(AssentError):
    """Stored bytes were changed after they were written: a seal, a digest or a signature does not match."""

    code = "corrupt"
    title = "Stored bytes were altered"
    default_advice = "Run `assent verify` to see what is altered, then restore from a backup."


class PermitNeeded(AssentError):
    """A record was asked for without a matching, unexpired permit: a defect in the calling code."""

    code = "permit_needed"
    title = "No permit, no record"
    default_advice = "Ask the ledger for a permit right before the record is opened."


class NotLearned(AssentError):
    """A contribution to forget was never part of the sum, so subtracting it would falsify the sum."""

    code = "not_learned"
    status = 409
    title = "Nothing to forget"
    default_advice = "Forget only what was learned, once; rebuild the sum if in doubt."


class SumOverflow(AssentError):
    """A sum would leave the range in which whole numbers are exact."""

    code = "sum_overflow"
    title = "The sum would overflow"
    default_advice = "Lower the weights, or split the people over several sums."


class NotEnoughMemory(AssentError):
    """The model would not fit in memory; refused before anything is allocated."""

    code = "not_enough_memory"
    title = "Not enough memory"
    default_advice = "Use a machine with more memory, or fewer items."


class SparkUnavailable(AssentError):
    """Spark is not installed, cannot be reached, or ended the job."""

    code = "spark_unavailable"
    status = 503
    title = "Spark cannot be used"
    default_advice = "Check that Spark is installed and that its master answers, or train without Spark."
