"""Promotions: discounts, their codes, and every use of one."""
