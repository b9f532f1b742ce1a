"""The sample shop “Tradewind Supply”: what `tradewind dev` puts into an empty database."""
