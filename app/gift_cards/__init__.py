"""Gift cards and store credit: value that the shop owes, in one ledger."""
