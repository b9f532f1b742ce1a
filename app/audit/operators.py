"""What operators do at the command line."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.audit import recording
from app.audit.models import ActorKind
from app.audit.recording import Action, Actor
from app.errors import DomainError, DomainErrors


@asynccontextmanager
async def command(name: str) -> AsyncIterator[Action]:
    """What is done inside was done by whoever runs the command `name`, such as `staff create`."""
    action = Action(Actor(ActorKind.OPERATOR, None, _account()), name)
    try:
        with recording.acting(action):
            yield action
    except (DomainError, DomainErrors) as error:
        await recording.refused(action, [one.code.name for one in error.errors])
        raise
    await recording.done(action)


def _account() -> str:
    """Of the machine; a container may run as a user without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
