"""Who may do what with people."""

CLOSED = [
    ("GET", "/v1/people/nobody/consent", None, (403, 404, 404, 403)),
    ("PUT", "/v1/people/nobody/consent", {"withdraw": ["learn"]}, (403, 404, 404, 403)),
    ("GET", "/v1/people/nobody", None, (403, 404, 404, 403)),
    ("GET", "/v1/people/nobody/export", None, (403, 404, 404, 403)),
    ("HEAD", "/v1/people/nobody/export", None, (403, 404, 404, 403)),
    ("DELETE", "/v1/people/nobody", None, (403, 404, 404, 403)),
]
