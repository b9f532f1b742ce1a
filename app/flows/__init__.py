"""Flows: versioned graphs of waiting, deciding and writing to people. The engine knows no particular flow."""
