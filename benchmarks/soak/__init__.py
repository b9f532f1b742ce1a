"""A steady load for as long as one likes: `python -m benchmarks.soak`."""
