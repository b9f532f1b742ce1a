"""The recipes as a shopper lives through them: weeks of business time, told through the public API."""
