"""The sparse form: each item from its nearest items only."""
