"""Whether the shop is healthy, for Prometheus.

`instruments` counts what this process does, `shop` asks PostgreSQL and the broker when somebody scrapes, `exposing`
writes both down. Labels come from the code and the configuration alone: what a client sends is never one.
"""
