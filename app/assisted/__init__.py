"""What staff sell to somebody: draft orders with a payment link, quotations, orders that wait for an approval."""
