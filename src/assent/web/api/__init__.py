"""The JSON API, one file a capability: its shapes, its handlers, its `TAG` and its `ROUTES`; nothing else names it."""
