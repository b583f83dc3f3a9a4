"""Who may do what with the server."""

CLOSED = [
    ("GET", "/metrics", None, (403, 200, 200, 200)),
]

OPEN = [
    ("GET", "/.well-known/gpc.json", None, 200),
    ("GET", "/health", None, 200),
    ("GET", "/openapi.json", None, 200),
]
