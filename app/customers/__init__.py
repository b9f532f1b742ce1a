"""People: one profile each, what they did, and what they agreed to."""
