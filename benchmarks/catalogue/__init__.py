"""Importing and exporting a large catalogue: time and peak memory."""
