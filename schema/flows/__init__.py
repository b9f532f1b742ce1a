"""Flows in the schema: reading them, what staff do with them, and what they came to."""

from schema.flows.operations import FlowMutations
from schema.flows.reading import FlowQueries

__all__ = ["FlowMutations", "FlowQueries"]
