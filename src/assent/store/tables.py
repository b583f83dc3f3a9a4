"""Every table, with its content, reason, retention and sealed columns: the data map is rendered from here.

`info["sealed"]` names the columns that only the person's own key opens; every other column is in the clear and is a
random id, a keyed digest, a consent state, a time, a sum over people, or the catalog.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Text

from assent.store.columns import SMALL, DataMapEntry, big, blob, person, small, table, text

UNTIL_ERASED = "until the person is erased"
WITH_CONSENT = "until the person withdraws every purpose it serves, or is erased"
ALWAYS = "as long as the store"

META = table(
    "meta",
    DataMapEntry(
        holds="Facts about the store itself: the epoch of its caches, the public key it belongs to.",
        why="To notice a change made by another process, and a key file that belongs to another store.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("key", "The name of the fact.", key=True),
    text("value", "The fact, as text."),
    clustered=True,
)

SEQUENCES = table(
    "sequences",
    DataMapEntry(
        holds="The next number of each sequence.",
        why="So that a number is never given twice, not even after the row that had it was deleted.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("name", "The name of the sequence.", key=True),
    big("next", "The first number not given yet."),
    clustered=True,
)

PEOPLE = table(
    "people",
    DataMapEntry(
        holds="One random id for each person, and whether that person is being erased.",
        why="All other rows about a person refer to this one.",
        how_long=UNTIL_ERASED,
        sealed=(),
    ),
    blob("person", "128 random bits; tells nothing.", key=True),
    text("state", "`active` or `erasing`."),
    big("at_ms", "When the person became known, milliseconds since the epoch."),
    clustered=True,
)

PERSON_KEYS = table(
    "person_keys",
    DataMapEntry(
        holds="Each person's own key, wrapped by the key file.",
        why="What is sealed about a person can be opened with it alone; destroying it ends every sealed copy.",
        how_long=UNTIL_ERASED,
        sealed=("wrapped",),
    ),
    person(key=True),
    blob("wrapped", "The person's key, wrapped."),
    text("key_id", "Which key of the key file wrapped it."),
    clustered=True,
)

IDENTIFIERS = table(
    "identifiers",
    DataMapEntry(
        holds="Keyed digests of the names a shop knows a person by.",
        why="To find a person by user id, device or e-mail without storing any of them.",
        how_long=UNTIL_ERASED,
        sealed=(),
    ),
    blob("blind", "HMAC-SHA-256 of the normalized identifier, under the key of its kind.", key=True),
    text("kind", "The kind of identifier.", key=True),
    person(),
    Index(None, "person"),
    clustered=True,
)

SUPPRESSIONS = table(
    "suppressions",
    DataMapEntry(
        holds="Keyed digests of the identifiers of erased people.",
        why="Events that still arrive about them are dropped, until they consent anew.",
        how_long="until the person gives consent again",
        sealed=(),
    ),
    blob("blind", "HMAC-SHA-256 of the normalized identifier, under the key of its kind.", key=True),
    text("kind", "The kind of identifier.", key=True),
    big("at_ms", "When it was suppressed, milliseconds since the epoch."),
    clustered=True,
)

CONSENT_STATES = table(
    "consent_states",
    DataMapEntry(
        holds="What each person's consent is at present, for each purpose.",
        why="Every use asks it first.",
        how_long=UNTIL_ERASED,
        sealed=(),
    ),
    person(key=True),
    text("purpose", "The purpose's id.", key=True),
    text("action", "The last ledger action: granted, refused, withdrawn, expired or invalidated."),
    big("at_ms", "When it was said, milliseconds since the epoch."),
    big("expires_ms", "When a grant ends, milliseconds since the epoch.", null=True),
    text("source", "Who or which signal said it."),
    text("notice_hash", "The digest of the notice that was shown: a changed notice ends a grant."),
    text("entry_id", "The ledger entry that made it."),
    Index("ix_consent_states_purpose", "purpose", "action", "person"),
    clustered=True,
)

CONSENTS = table(
    "consents",
    DataMapEntry(
        holds="The ledger: every consent given, refused, withdrawn, expired or invalidated, and the notice answered.",
        why="The shop must be able to show what was agreed to, when, and in which words.",
        how_long=UNTIL_ERASED,
        sealed=("evidence",),
    ),
    big("seq", "The entry's place in the ledger.", key=True),
    Column("entry_id", Text, nullable=False, unique=True, doc="The entry's public id, also the receipt's."),
    person(),
    text("purpose", "The purpose's id."),
    text("action", "granted, refused, withdrawn, expired or invalidated."),
    big("at_ms", "When it was said, milliseconds since the epoch."),
    big("expires_ms", "When a grant ends, milliseconds since the epoch.", null=True),
    text("source", "Who or which signal said it."),
    text("notice_hash", "The digest of the notice that was shown."),
    text("language", "The language of the notice."),
    blob("evidence", "What the shop keeps as proof.", null=True),
    Index("ix_consents_person", "person", "seq"),
)

PURPOSES = table(
    "purposes",
    DataMapEntry(
        holds="The bit of each purpose that the shop declared itself and keeps events for.",
        why="Every process and machine must read the purposes of a record alike, also after the file changed.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("id", "The purpose's id.", key=True),
    Column("bit", SMALL, nullable=False, unique=True, doc="Its bit: never another's, never changed."),
    big("first_seen", "When it was declared first, milliseconds since the epoch."),
    clustered=True,
)

NOTICES = table(
    "notices",
    DataMapEntry(
        holds="The exact text of every notice that consent was asked with.",
        why="A receipt points to the words that were agreed to.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("hash", "The digest of the text.", key=True),
    text("language", "The language of the text."),
    text("text", "The notice."),
)

RECORDS = table(
    "records",
    DataMapEntry(
        holds="What a person did, as their events say it after minimizing: one row for each person and batch.",
        why="The purposes the person said yes to; each row remembers which.",
        how_long=WITH_CONSENT,
        sealed=("trail", "sealed"),
    ),
    big("seq", "The row's number; never given twice.", key=True),
    person(),
    big("at_ms", "When it was taken in, milliseconds since the epoch."),
    small("purposes", "The bits of the purposes it may serve."),
    blob("trail", "The batch's history entries: item, day, action, purposes.", null=True),
    blob("sealed", "The batch's events."),
    Index("ix_records_person", "person", "seq"),
)

HISTORIES = table(
    "histories",
    DataMapEntry(
        holds="A person's compact history: item numbers, kinds and days.",
        why="Suggestions and learning read it instead of the events.",
        how_long=WITH_CONSENT,
        sealed=("sealed",),
    ),
    person(key=True),
    big("through_seq", "The last record that is folded in."),
    blob("sealed", "The history entries."),
)

SEEN_BLOCKS = table(
    "seen_blocks",
    DataMapEntry(
        holds="Keyed digests of the ids of events that were taken in, without the id of a person.",
        why="A client that sends a batch twice is counted once.",
        how_long=ALWAYS,
        sealed=(),
    ),
    blob("block", "The hash of the block's content.", key=True),
    big("digests_count", "How many digests it holds."),
    blob("digests", "16-byte digests, sorted, one after the other."),
)

DECISIONS = table(
    "decisions",
    DataMapEntry(
        holds="What was shown in answer to a request, and why.",
        why="The person may ask why they saw something.",
        how_long=UNTIL_ERASED,
        sealed=("sealed",),
    ),
    blob("decision_id", "The decision's random id.", key=True),
    person(null=True),
    big("at_ms", "When it was made, milliseconds since the epoch."),
    text("slot", "The place that showed it."),
    blob("sealed", "The answer; sealed when it is about a person, else plain."),
    Index("ix_decisions_person", "person"),
)

ITEMS = table(
    "items",
    DataMapEntry(
        holds="The catalog, and items that events named before the catalog did.",
        why="What can be suggested.",
        how_long=ALWAYS,
        sealed=(),
    ),
    big("number", "The item's column in every sum; dense from 0, never given twice.", key=True),
    Column("id", Text, nullable=False, unique=True, doc="The shop's id of the item."),
    small("listed", "1 when it is in the catalog."),
    small("available", "1 when it can be had now."),
    text("name", "The name people read."),
    text("facts", "Everything else the shop says about it, as JSON."),
    big("first_seen_ms", "When it first appeared, milliseconds since the epoch."),
    big("last_seen_ms", "When it last appeared, milliseconds since the epoch."),
    big("changed", "The catalog version that last changed it."),
    Index(None, "changed"),
)

SUM_HEADS = table(
    "sum_heads",
    DataMapEntry(
        holds="For each model: the version, digest and counts of its sum over people.",
        why="Every model is a solve of its sum.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("model", "The model's name.", key=True),
    big("version", "Grows with every change of the sum."),
    big("columns", "How many items the sum spans."),
    big("people", "How many people it adds up."),
    text("digest", "SHA-256 of the sum."),
    blob("counts", "How many people touched each item, int64 little-endian."),
    big("at_ms", "When it was written, milliseconds since the epoch."),
    big("last_left_version", "The version at which a person last left the sum, 0 for never."),
)

SUM_ROWS = table(
    "sum_rows",
    DataMapEntry(
        holds="The rows of each model's sum over people: whole numbers.",
        why="Every model is a solve of its sum.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("model", "The model's name.", key=True),
    big("item", "The row: an item's number.", key=True),
    big("version", "The version that last changed the row."),
    blob("row", "The row's whole numbers."),
    Index("ix_sum_rows_version", "model", "version"),
)

CONTRIBUTIONS = table(
    "contributions",
    DataMapEntry(
        holds="What each person added to each sum.",
        why="So that exactly that is taken out when they leave.",
        how_long="until the person withdraws from learning, or is erased",
        sealed=("sealed",),
    ),
    text("model", "The model's name.", key=True),
    person(key=True),
    blob("sealed", "The contribution."),
    Index(None, "person"),
)

LOG_LEAVES = table(
    "log_leaves",
    DataMapEntry(
        holds="The tamper-evident log: a salted digest for each act that mattered.",
        why="An auditor can check that nothing was changed afterwards.",
        how_long="digests as long as the store; readable details until the person is erased",
        sealed=("detail",),
    ),
    big("idx", "The leaf's place in the tree, from 0.", key=True),
    blob("leaf", "The leaf's digest."),
    big("at_ms", "When it was written, milliseconds since the epoch."),
    text("kind", "What kind of act."),
    person(null=True, free=True),
    blob("detail", "The readable details and the salt; sealed when about a person.", null=True),
    Index("ix_log_leaves_person", "person"),
)

LOG_CHECKPOINTS = table(
    "log_checkpoints",
    DataMapEntry(
        holds="Signed checkpoints of the log.",
        why="They fix the log's state at a moment.",
        how_long=ALWAYS,
        sealed=(),
    ),
    big("size", "How many leaves it covers.", key=True),
    blob("root", "The root of the tree."),
    text("note", "The signed note."),
)

ERASURES = table(
    "erasures",
    DataMapEntry(
        holds="The erase journal: which random id was erased, how far the erasure is, and its certificate.",
        why="An erasure that was interrupted goes on; a backup that is restored is erased again before it serves.",
        how_long=ALWAYS + "; the id leads to no person once the erasure is done",
        sealed=(),
    ),
    blob("erasure_id", "The erasure's random id.", key=True),
    person(free=True),
    text("step", "The last step that is done."),
    big("requested_ms", "When it was asked for, milliseconds since the epoch."),
    big("completed_ms", "When it was done, milliseconds since the epoch.", null=True),
    text("facts", "Counts and digests, as JSON; nothing about the person."),
    text("certificate", "The signed certificate, as JSON.", null=True),
    Index("ix_erasures_person", "person"),
)

API_KEYS = table(
    "api_keys",
    DataMapEntry(
        holds="Digests of the keys that programs use.",
        why="To tell who may do what.",
        how_long="until the key is removed",
        sealed=(),
    ),
    blob("digest", "SHA-256 of the key.", key=True),
    text("role", "What the key may do."),
    text("label", "What the operator calls it."),
    big("at_ms", "When it was made, milliseconds since the epoch."),
)

IMPORTS = table(
    "imports",
    DataMapEntry(
        holds="How far each import is, and what became of its lines.",
        why="An import that was interrupted goes on where it stopped.",
        how_long=ALWAYS,
        sealed=(),
    ),
    text("import_id", "The digest of the file and of how it is read.", key=True),
    big("position", "How much of the file is done."),
    text("counts", "What became of the lines, as JSON."),
)
