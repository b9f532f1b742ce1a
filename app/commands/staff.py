"""`tradewind staff create`."""

from app.audit import operators
from app.runtime import running
from app.settings import Settings
from app.staff.service import create_owner


async def create(settings: Settings, email: str, name: str, password: str) -> None:
    """Raises DomainError for a malformed email, a weak password or an email that is taken."""
    async with running(settings), operators.command("staff create"):
        await create_owner(email, name, password)
