"""The shop's providers: which there are, how much each may be asked at once, and who is next when one is down."""

from app.messaging.providers.configured import configured, is_configured
from app.messaging.providers.routing import send

__all__ = ["configured", "is_configured", "send"]
