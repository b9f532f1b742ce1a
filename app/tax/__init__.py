"""Which taxes are due on what, where and from whom. The amounts are `app.pricing`'s."""
