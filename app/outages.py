"""Telling an outage from a fault: what cannot be served at the moment from what is wrong with our code.

Clients can do something about the first, which is to ask again; of the second they only learn that it is logged.
"""

import asyncpg
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

RETRY_AFTER_SECONDS = 2

# https://www.postgresql.org/docs/current/errcodes-appendix.html: classes 08, 40 (deadlocks: nothing of the transaction
# stays, and the next attempt may meet nobody), 53 (which has the full disk), 57 and 58.
_OUTAGES = (
    asyncpg.PostgresConnectionError,
    asyncpg.TransactionRollbackError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    RedisConnectionError,
    RedisTimeoutError,
)


class DatabaseAwayError(ConnectionError):
    """No connection to PostgreSQL could be made."""


def is_outage(fault: BaseException) -> bool:
    """Whether PostgreSQL or Redis is away, starting, full, or has ended the connection or the transaction."""
    if took_too_long(fault):
        return False
    # A connection that ended beneath us, for which asyncpg has no class. The second: the server took its leave while
    # nothing was asked of it, and asyncpg has not come to closing it yet (its state 2, PROTOCOL_ERROR_CONSUME).
    if isinstance(fault, asyncpg.InterfaceError):
        return "connection is closed" in str(fault)
    if isinstance(fault, asyncpg.InternalClientError):
        return "another operation (2) is in progress" in str(fault)
    return isinstance(fault, (DatabaseAwayError, *_OUTAGES))


def took_too_long(fault: BaseException) -> bool:
    """Whether a time limit ended it, a statement's included, which it may exceed at the next attempt, too."""
    return isinstance(fault, (TimeoutError, asyncpg.QueryCanceledError))
