"""Segments: groups of profiles by a condition, kept current by events."""
