"""Gateways of real providers; each is known only where its settings are set."""
