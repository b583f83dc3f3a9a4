"""Who may do what with decisions."""

CLOSED = [
    ("POST", "/v1/decide", {}, (403, 200, 403, 403)),
]
