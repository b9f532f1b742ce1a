"""The schema as a client reads it: out of its text."""

from functools import cache

from graphql import GraphQLSchema, build_schema

from schema import build_schema as build_ours


@cache
def client_schema() -> GraphQLSchema:
    """That of development, which has everything in it. It takes half a second."""
    return build_schema(build_ours(development=True).as_str())
