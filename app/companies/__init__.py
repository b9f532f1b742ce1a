"""Companies: who buys for them, on which terms, up to how much, and who has to agree."""
