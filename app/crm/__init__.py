"""Keeping contacts in CRM and marketing systems in step."""
