"""The JSON API, one file a capability: shapes, handlers, `TAG` and `ROUTES`. The application finds them by itself."""
