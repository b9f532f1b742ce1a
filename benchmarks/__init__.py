"""How far the API is from what one machine can do at most: `python -m benchmarks.run`."""
