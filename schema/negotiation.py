"""Which media type an answer has, after https://graphql.github.io/graphql-over-http/draft/."""

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"
"""With it, the HTTP status tells whether the request could be executed; with plain JSON it is 200."""

_SERVED = {GRAPHQL_RESPONSE: GRAPHQL_RESPONSE, JSON: JSON, "application/*": JSON, "*/*": JSON}


def answer_type(accept: str | None) -> str | None:
    """The type to answer with, or None when the client takes none of ours. Says nothing about event streams."""
    if not accept:
        return JSON
    best: tuple[float, str] | None = None
    for name, quality in _ranges(accept):
        served = _SERVED.get(name)
        # At equal quality the first one wins; `*/*` is a wish for nothing in particular.
        if served is not None and quality > 0 and (best is None or quality > best[0]):
            best = (quality, served)
    return best[1] if best else None


def wants_page(accept: str | None) -> bool:
    """A browser that was pointed here, rather than a program."""
    return any(name == "text/html" and quality > 0 for name, quality in _ranges(accept or ""))


def _ranges(accept: str) -> list[tuple[str, float]]:
    ranges = []
    for part in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
        try:
            ranges.append((name, float(quality)))
        except ValueError:
            ranges.append((name, 0.0))
    return ranges
