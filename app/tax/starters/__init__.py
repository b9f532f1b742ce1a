"""Zones and rates to begin from, as files: what `tradewind taxes load` puts into a shop."""
