"""Requests that no person made, as far as they say so themselves: crawlers, link previews, pages fetched ahead."""

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from crawleruseragents import CRAWLER_USER_AGENTS_DATA, is_crawler

MAX_USER_AGENT_CHARS = 1_000
_AHEAD_HEADERS = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_LIBRARY = "http-library"


def is_fetched_ahead(headers: Mapping[str, str]) -> bool:
    """Whether a browser loads something that nobody may ever look at: a prefetch, a prerender, a preview.

    Args:
        headers: with names in lower case, or without regard to case.
    """
    return any("pre" in headers.get(name, "").lower() for name in _AHEAD_HEADERS)


def is_automatic(user_agent: str) -> bool:
    """Whether a program opened a page that is made for browsers: a crawler, or a plain HTTP library."""
    return not user_agent or bool(is_crawler(user_agent[:MAX_USER_AGENT_CHARS]))


def crawls(user_agent: str) -> bool:
    """Whether a client of the API is a crawler that runs a storefront's scripts.

    Libraries are none: apps and storefronts' own servers speak through okhttp, axios and the like, or say nothing.
    """
    return _crawls(user_agent[:MAX_USER_AGENT_CHARS])


@lru_cache(maxsize=1024)
def _crawls(user_agent: str) -> bool:
    """Kept, as it takes two milliseconds to say, and shoppers' browsers are few kinds."""
    return _crawlers().search(user_agent) is not None


@cache
def _crawlers() -> re.Pattern[str]:
    return re.compile(
        "|".join(one["pattern"] for one in CRAWLER_USER_AGENTS_DATA if _LIBRARY not in one.get("tags", ()))
    )
