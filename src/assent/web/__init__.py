"""HTTP: the JSON API. No other room speaks HTTP; each operation calls one act of the engine."""
