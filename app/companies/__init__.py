"""Companies: who buys for them, on which terms, and up to how much."""
