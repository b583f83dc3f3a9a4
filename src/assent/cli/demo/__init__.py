"""The demo: a made shop that lives through consent, learning, withdrawal and erasure in front of the reader's eyes."""
