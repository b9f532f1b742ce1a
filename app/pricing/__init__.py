"""What a cart or an order costs: one pure function, and the amounts that go in and come out."""
