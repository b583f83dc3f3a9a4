"""Importers of files of events, items and orders, read as frames."""
