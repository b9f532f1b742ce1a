"""What the longer commands of `tradewind` do; `app.cli` declares them."""
