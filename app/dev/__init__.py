"""Development servers and their supervisor. Only `tradewind dev` and the tests import this package."""
