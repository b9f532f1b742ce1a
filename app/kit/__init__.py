"""Building blocks that know nothing of shops."""
