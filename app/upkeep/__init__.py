"""What the scheduler does now and then to keep the shop in order, and how it remembers that it did."""
