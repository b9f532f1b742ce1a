"""On which terms a product is sold: options made to order, how many at once, to whom and where to."""
