"""The made-up shop of `assent demo`: its goods, its people, and the story that is told with them."""
