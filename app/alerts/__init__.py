"""Alerts that shoppers ask for: back in stock, price drop."""
