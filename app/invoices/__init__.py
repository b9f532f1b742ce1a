"""Invoices and credit notes: numbered without gaps, frozen when they are issued, printed as often as anybody asks."""
