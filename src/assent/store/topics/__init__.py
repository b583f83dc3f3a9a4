"""Topics of the store: one file a group of tables."""
