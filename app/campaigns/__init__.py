"""Campaigns: one message to a segment, at once or at a time."""
