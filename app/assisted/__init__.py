"""What staff sell to somebody: draft orders with a payment link, and quotations."""
