"""Importers: files of events, items and orders, read as frames."""
