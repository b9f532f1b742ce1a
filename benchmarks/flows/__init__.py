"""What flows cost: due steps, latency, sleeping runs, and a shop's real history: `python -m benchmarks.flows`."""
