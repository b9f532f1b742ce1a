"""Who may read the metrics: they tell how well a business is doing."""

import hmac

from app.settings import Settings


def may_read(settings: Settings, authorization: str | None) -> bool:
    """Whoever shows METRICS_TOKEN as a bearer token. Where none is set, everybody who reaches the port."""
    if settings.metrics_token is None:
        return True
    expected = f"Bearer {settings.metrics_token}"
    return hmac.compare_digest((authorization or "").encode(), expected.encode())
