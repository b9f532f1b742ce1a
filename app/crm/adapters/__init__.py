"""The adapters that come with Tradewind."""
