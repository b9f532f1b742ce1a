"""How far the API is from what one machine can do at most. Each runs by itself: `python -m benchmarks.catalogue`."""
