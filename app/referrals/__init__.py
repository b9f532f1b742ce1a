"""Refer a friend."""
