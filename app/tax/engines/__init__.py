"""Outside tax engines: which rates are due on an order says somebody else."""
