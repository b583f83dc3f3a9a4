"""Who may do what with the catalog."""

CLOSED = [
    ("GET", "/v1/items/item%200%2F0/similar", None, (403, 200, 403, 403)),
    ("PUT", "/v1/items", [], (403, 200, 403, 403)),
    ("GET", "/v1/items", None, (403, 200, 403, 403)),
    ("GET", "/v1/items/item%200%2F0", None, (403, 200, 403, 403)),
    ("HEAD", "/v1/items/item%200%2F0", None, (403, 200, 403, 403)),
    ("DELETE", "/v1/items/nothing", None, (403, 404, 403, 403)),
]
