"""Products from files: many at once, in few statements, resumable, and idempotent."""
