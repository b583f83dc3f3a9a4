"""Who may do what with purposes."""

CLOSED = [
    ("GET", "/v1/purposes", None, (403, 200, 200, 403)),
]
