"""The dense form: one inverse over all items."""
