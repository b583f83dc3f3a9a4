"""The made-up shop of `assent demo`: its goods, its people, and the story of the demo."""
