"""Postal addresses, email addresses and phone numbers: the one place that checks and normalises them."""
