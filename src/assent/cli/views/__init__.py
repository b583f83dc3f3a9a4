"""Views: answers laid out for a terminal, one file for each kind that takes more than a few lines."""
