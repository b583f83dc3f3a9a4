"""The parser: it reads a body into a batch without the store, so that the writer's thread has little left to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from assent.intake.allow import AllowList
from assent.intake.body import deeper_than, plain_body
from assent.intake.drops import DroppedEvent
from assent.intake.shape import Shaper, clean_event_id, clean_id, read_time
from assent.intake.times import read_moment
from assent.intake.wire import NOTHING, Body, Call, Context, Event
from assent.terms.clock import DAY_MS
from assent.terms.errors import InvalidInput, TooLarge
from assent.terms.limits import limit
from assent.terms.refusals import MALFORMED, NO_IDENTIFIER, TOO_LARGE, UNKNOWN_TYPE
from assent.terms.segment import CALL_BY_NAME, EVENT_CALLS
from assent.terms.sentences import sentence

_EVENT_BYTES_MAX = limit("event_bytes_max")
_EVENTS_MAX = limit("batch_events_max")
_DEPTH_MAX = limit("json_depth_max")
_CONSENT_BYTES_MAX = limit("consent_object_bytes_max")

_decode_body = msgspec.json.Decoder(Body).decode
_decode_call = msgspec.json.Decoder(Call).decode

#: The consent objects of a context, `consent` and `consentManagement`, as the JSON text that was sent.
ConsentText = tuple[bytes, bytes]
NO_CONSENT_TEXT: ConsentText = (b"", b"")

#: An action with an item: the event's place in its group, the day since 1970, the action's code, the item's id.
ItemDeed = tuple[int, int, int, str]


class Group(msgspec.Struct, gc=False):
    """The events of one batch with the same identifiers and the same consent objects, in order.

    `digests` go in step with `events`; `newest_ms` is the time of the newest event, milliseconds since the epoch.
    """

    user_id: str | None
    anonymous_id: str | None
    email: str | None
    previous_id: str | None
    consent: ConsentText
    newest_ms: int = 0
    events: list[Event] = []
    digests: list[bytes | None] = []
    deeds: list[ItemDeed] = []

    def add(self, event: Event, digest: bytes | None, code: int, items: Sequence[str]) -> None:
        """Add one event, with the code of its action and the ids of its items."""
        events = self.events
        at_ms = event.at_ms
        for item in items:
            self.deeds.append((len(events), at_ms // DAY_MS, code, item))
        events.append(event)
        self.digests.append(digest)
        if at_ms > self.newest_ms:  # noqa: PLR1730 - once an event: calling max() costs four times as much
            self.newest_ms = at_ms

    def only(self, places: Sequence[int]) -> Group:
        """Return a group of some of the events."""
        new_place = {place: new for new, place in enumerate(places)}
        events = [self.events[place] for place in places]
        return Group(
            self.user_id,
            self.anonymous_id,
            self.email,
            self.previous_id,
            self.consent,
            max((event.at_ms for event in events), default=0),
            events,
            [self.digests[place] for place in places],
            [(new_place[place], day, code, item) for place, day, code, item in self.deeds if place in new_place],
        )


class Batch(msgspec.Struct, gc=False):
    """A parsed body: events by identifiers, the number dropped for each reason, and its write key, if any."""

    groups: list[Group]
    dropped: dict[str, int]
    write_key: str | None
    received_ms: int
    #: The length of the JSON text of the body.
    bytes_received: int

    @property
    def events(self) -> int:
        """Return the number of events that remain to be taken in."""
        return sum(len(group.events) for group in self.groups)


class Parser:
    """Reads bodies under one allow-list; `digest` turns an event's ids into the 16 bytes that identify it."""

    def __init__(self, allow: AllowList, digest: Callable[[str], bytes], now_ms: Callable[[], int]) -> None:
        self._shaper = Shaper(allow)
        self._digest = digest
        self._now_ms = now_ms

    def parse(self, body: bytes, *, kind: str | None = None, content_encoding: str | None = None) -> Batch:
        """Read a batch, or one call whose kind the path names; the content type does not matter.

        Calls that cannot be taken in are dropped and counted, in a batch and alone: clients send again what is refused.
        Raises `InvalidInput` for a body that is neither a batch nor a call, `TooLarge` for one over its limit.
        """
        call = None if kind is None else CALL_BY_NAME.get(kind)
        if kind is not None and call is None:
            raise InvalidInput("That is no kind of call.", advice=f"Use one of: {', '.join(CALL_BY_NAME)}.")
        received_ms = self._now_ms()
        if call == "metrics":
            return Batch([], {}, None, received_ms, 0)
        text = plain_body(body, content_encoding)
        frame = read_frame(text)
        reader = _Reader(self._shaper, self._digest, frame, received_ms, len(text))
        if frame.batch is not None and call in {None, "batch"}:
            if len(frame.batch) > _EVENTS_MAX:
                raise TooLarge(f"The batch has {len(frame.batch)} events; at most {_EVENTS_MAX} are read.")
            reader.read_all(frame.batch)
        elif call == "batch":
            raise InvalidInput("The body has no list `batch`.", advice='Send {"batch": [...]}.')
        else:
            reader.read_lone(text, call)
        return reader.batch()


def read_frame(text: bytes) -> Body:
    """Read the body's own fields, leaving its events as they are; raises `InvalidInput` when it is no such object."""
    try:
        frame = _decode_body(text)
    except RecursionError:
        raise InvalidInput("The JSON nests too deeply.", advice=f"Nest at most {_DEPTH_MAX} levels.") from None
    except msgspec.ValidationError:
        advice = 'Send an object: one event, or {"batch": [...]} with texts for sentAt and writeKey.'
        raise InvalidInput("The JSON does not have the shape of an event or a batch.", advice=advice) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise InvalidInput("The body is not JSON.", advice="Send one JSON object, encoded as UTF-8.") from None
    return frame


class _Reader:
    """Reads the calls of one body into groups."""

    def __init__(
        self, shaper: Shaper, digest: Callable[[str], bytes], frame: Body, received_ms: int, bytes_received: int
    ) -> None:
        self._bytes = bytes_received
        self._shaper = shaper
        self._digest = digest
        self._frame = frame
        self._sent_ms = read_moment(frame.sentAt) if frame.sentAt else None
        self._received_ms = received_ms
        self._consent = _consent_text(frame.context, NO_CONSENT_TEXT)
        self._groups: dict[tuple[object, ...], Group] = {}
        self._dropped: Counter[str] = Counter()

    def batch(self) -> Batch:
        """Return everything that was read."""
        return Batch(
            list(self._groups.values()),
            dict(self._dropped),
            self._frame.writeKey,
            self._received_ms,
            self._bytes,
        )

    def read_all(self, raws: Sequence[Raw]) -> None:
        """Read the calls of a batch; bad ones are dropped and counted, and the batch goes on."""
        for raw in raws:
            try:
                self.read(bytes(raw), None)
            except DroppedEvent as dropped:
                self._dropped[dropped.reason] += 1

    def read_lone(self, text: bytes, kind: str | None) -> None:
        """Read a body that is one call; raises `InvalidInput` for one too deep and `TooLarge` for one too large."""
        if deeper_than(text, _DEPTH_MAX):
            raise InvalidInput(sentence("drop.too_deep"), advice=f"Nest at most {_DEPTH_MAX} levels.")
        try:
            self.read(text, kind)
        except DroppedEvent as dropped:
            if dropped.reason == TOO_LARGE:
                raise TooLarge(sentence("drop.too_large")) from None
            self._dropped[dropped.reason] += 1

    def read(self, text: bytes, kind: str | None) -> None:
        """Read one call into the group of its identifiers; raises `DroppedEvent`."""
        if len(text) > _EVENT_BYTES_MAX:
            raise DroppedEvent(TOO_LARGE)
        try:
            call = _decode_call(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise DroppedEvent(MALFORMED) from None
        kind = kind or call.type
        if kind not in EVENT_CALLS:
            raise DroppedEvent(UNKNOWN_TYPE)
        user_id, anonymous_id, event_id = call.userId, call.anonymousId, call.messageId
        if user_id is not None:
            user_id = clean_id(user_id)
        if anonymous_id is not None:
            anonymous_id = clean_id(anonymous_id)
        if user_id is None and anonymous_id is None:
            raise DroppedEvent(NO_IDENTIFIER)
        event = Event(kind, read_time(call, self._sent_ms, self._received_ms), None, user_id, anonymous_id)
        digest = None
        if event_id is not None and event_id != "":
            digest = digest_of(self._digest, event, clean_event_id(event_id))
        if kind == "track":
            code, items = self._shaper.track(event, call.event, bytes(call.properties))
        else:
            code, items = self._shaper.other(event, call)
        context = call.context
        consent = self._consent if context is None else _consent_text(context, self._consent)
        names = (user_id, anonymous_id, event.email, event.previous_id, consent)
        group = self._groups.get(names)
        if group is None:
            group = self._groups[names] = Group(*names)
        group.add(event, digest, code, items)


def digest_of(keyed: Callable[[str], bytes], event: Event, event_id: str) -> bytes:
    """Return the 16 bytes that identify an event when it is sent again.

    A repeated event has the same kind, the same people and the same id (Segment's `messageId`), so all of them are in
    the digest: no client can use up another person's ids, and clients that count from 1 do no harm.
    """
    return keyed(f"{event.type}\x00{event.user_id}\x00{event.anonymous_id}\x00{event_id}")


def _consent_text(context: Context | None, default: ConsentText) -> ConsentText:
    """Return the consent objects of a context; a field that is missing is taken from `default`, the batch's context."""
    if context is None:
        return default
    consent, management = context.consent, context.consentManagement
    return (
        default[0] if consent is NOTHING else bytes(consent),
        default[1] if management is NOTHING else bytes(management),
    )


def context_of(consent: ConsentText) -> dict[str, Any] | None:
    """Return the consent objects of a context as values; one that cannot be read is None, which grants nothing."""
    if consent == NO_CONSENT_TEXT:
        return None
    names = ("consent", "consentManagement")
    return {name: _read_json(text) for name, text in zip(names, consent, strict=True) if text}


def _read_json(text: bytes) -> Any:
    """Read one consent object; one that is too deep or too long for any banner is not read at all."""
    if len(text) > _CONSENT_BYTES_MAX or deeper_than(text, _DEPTH_MAX):
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def body_of(events: Sequence[Mapping[str, Any]]) -> bytes:
    """Write events as the body of a batch; raises `InvalidInput` for values that JSON does not have."""
    try:
        return msgspec.json.encode({"batch": list(events)})
    except (TypeError, ValueError, RecursionError, OverflowError):
        raise InvalidInput("The events hold values that JSON does not have.") from None


def write_key_of(body: bytes, content_encoding: str | None = None) -> str | None:
    """Return the `writeKey` that a body carries, if any; raises as `Parser.parse` for a body that cannot be read."""
    return read_frame(plain_body(body, content_encoding)).writeKey
