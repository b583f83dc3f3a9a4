"""Every bound that a caller can meet, as one table: name, default, unit, and the reason of its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One bound; the unit is the last word of the name where it is not `max`."""

    name: str
    default: int
    unit: str
    why: str


_ROWS = (
    Limit("body_bytes_max", 4_194_304, "bytes", "The largest batch any common tracking client sends is 4 MB."),
    Limit("body_seconds_max", 30, "seconds", "A client that sends slower than this holds a place that others need."),
    Limit("body_inflated_bytes_max", 16_777_216, "bytes", "A compressed body may not grow past this (gzip bombs)."),
    Limit("event_bytes_max", 32_768, "bytes", "Segment's own limit for one event."),
    Limit("batch_events_max", 2_500, "events", "Segment's own limit for one batch."),
    Limit("json_depth_max", 32, "levels", "Deeper nesting has no use in an event and costs stack."),
    Limit("message_id_chars_max", 100, "characters", "Segment's own limit; longer ids are not ids."),
    Limit("identifier_chars_max", 256, "characters", "An e-mail address has at most 254."),
    Limit("item_id_chars_max", 128, "characters", "Longer than any stock code; keeps index pages small."),
    Limit("item_bytes_max", 65_536, "bytes", "One item's facts; pictures are linked, not stored."),
    Limit("items_per_request_max", 10_000, "items", "One request must end within seconds."),
    Limit("known_people_max", 4_096, "people", "An open history takes about 10 kB, and each of its last answers too."),
    Limit("decide_count_max", 200, "items", "People do not read more, and a longer list would leak the model's order."),
    Limit("exclude_items_max", 5_000, "items", "A request-time exclude list is read on the hot path."),
    Limit("slot_chars_max", 64, "characters", "A slot is a place on a page, named by whoever builds the page."),
    Limit("decide_queue_calls_max", 20_000, "calls", "A caller is told to come again once so many wait."),
    Limit("event_age_days_max", 3_650, "days", "Older events are a clock gone wrong, not a history."),
    Limit("event_future_seconds_max", 86_400, "seconds", "A client's clock may be a day ahead; more is an error."),
    Limit("permit_ttl_seconds", 30, "seconds", "A permit outlives one request, not a withdrawal."),
    Limit("consent_days", 365, "days", "Consent is asked again after a year."),
    Limit("history_entries_max", 2_000, "entries", "The newest actions; more adds nothing to a suggestion."),
    Limit("history_tail_records", 1, "records", "Past this many loose trails a training folds a history into one."),
    Limit("evidence_chars_max", 2_000, "characters", "What an operator states as proof of consent."),
    Limit("products_per_event_max", 500, "products", "A longer order is a wholesale list, not a taste."),
    Limit("write_queue_jobs_max", 1_000, "jobs", "Past this a caller waits, and then gets the error `busy`."),
    Limit("write_wait_seconds", 10, "seconds", "A caller who waits longer should get an error instead."),
    Limit("spark_connect_seconds", 5, "seconds", "A Spark master that does not answer by then is not there."),
    Limit("spark_executor_seconds", 60, "seconds", "A Spark master that has given no executor by then has none free."),
    Limit("write_group_jobs_max", 128, "jobs", "Jobs that share one commit; more would only make the first wait."),
    # terms, consent and vault
    Limit("language_tag_chars_max", 35, "characters", "Longer than any language tag in use."),
    Limit("event_purposes_max", 12, "purposes", "A history entry has twelve bits for the purposes it may serve."),
    Limit("key_file_bytes_max", 65_536, "bytes", "A key file with hundreds of rotated keys is smaller."),
    # catalog
    Limit("item_name_chars_max", 512, "characters", "A name is one line on a page, not a description."),
    Limit("item_tags_max", 64, "tags", "More tags than this do not tell items apart."),
    Limit("page_items_max", 1_000, "items", "One page is read and written within a fraction of a second."),
    # sums
    Limit("item_value_max", 63, "units", "The value of a person at one item leaves enough steps for a precise weight."),
    Limit("sum_columns_max", 1 << 30, "columns", "An item number fits in an int32, with room for the sum of two."),
    Limit("sum_entry_max", 1 << 61, "steps", "An entry fits in an int64, with room for the sum of two."),
    # intake
    Limit("event_name_chars_max", 200, "characters", "Longer than the name of any event in Segment's specification."),
    Limit(
        "property_chars_max", 512, "characters", "Longer text is prose, which tells more than an allow-list foresees."
    ),
    Limit("consent_object_bytes_max", 8_192, "bytes", "The consent objects of no common banner come near this."),
    Limit(
        "intake_waiting_batches_max", 2_000, "batches", "Past this the writer is too far behind; a sender tries again."
    ),
    Limit("intake_waiting_bytes_max", 268_435_456, "bytes", "Bodies that wait to be read are kept in memory."),
    Limit("import_line_bytes_max", 16_777_216, "bytes", "A longer line is an open quote, not a line."),
    # rights
    Limit("erasure_wait_seconds", 15, "seconds", "A reader that holds up the end of an erasure is done by then."),
    # learn
    Limit("train_attempts_max", 3, "attempts", "Consent that changes during each of these changes all the time."),
    # models
    Limit("recommend_count_max", 10_000, "items", "A list may be longer than a small catalog, but not without end."),
    # web, cli and demo
    Limit("key_chars_max", 256, "characters", "Keys of ours have fewer than 50; a longer one is not ours."),
    Limit("query_fields_max", 16, "fields", "No route reads more than two fields of a query."),
    Limit("accept_languages_max", 32, "languages", "Browsers name a few; a longer header only costs time."),
    Limit("workers_max", 64, "processes", "Each process opens the store and maps the model for itself."),
    Limit("server_stop_seconds_max", 30, "seconds", "A process that has not finished its requests by then is ended."),
    Limit("demo_start_seconds_max", 30, "seconds", "A server that does not answer by then will not start."),
    Limit("certificate_bytes_max", 1_048_576, "bytes", "A certificate has a few kilobytes; a larger file is none."),
    Limit("compared_list_items_max", 1_000, "items", "Recall and NDCG of longer lists say nothing about a shop."),
)

LIMITS = {row.name: row for row in _ROWS}


def limit(name: str) -> int:
    """Return the bound of that name; raises `KeyError` for a name not in the table."""
    return LIMITS[name].default
