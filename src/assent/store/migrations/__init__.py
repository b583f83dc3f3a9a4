"""The revisions of the schema, run by `assent.store.migrate`."""
