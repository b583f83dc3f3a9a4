"""Mechanics of HTTP: what turns an operation into a route. Knows no capability."""
