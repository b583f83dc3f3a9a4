"""HTTP: the JSON API. The only room that speaks it; everything it does is an act of the engine."""
