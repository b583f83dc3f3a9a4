"""How answers look in a terminal: one file for each kind that more than one line tells."""
