"""Root fields, each with its guard: a field that does not say who may use it cannot be written.

Mutations answer a refusal and every domain error in their payload's `userErrors`. Queries and subscriptions have no
such place, so there it is a GraphQL error with the same code in `extensions.code`.
"""

import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, get_type_hints

import strawberry
from graphql import GraphQLError
from strawberry.extensions import FieldExtension

from app.audit import recording
from app.audit.actors import actor_of
from app.audit.recording import Action
from app.errors import CommonErrorCode, DomainError, DomainErrors
from app.rate_limit import RateLimitedError
from app.staff.permissions import Permission
from schema.context import Info, origin_of
from schema.errors import to_user_errors
from schema.selection import Selection, check_selection
from schema.watching import while_allowed

Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may call a root field. Resolvers still scope what they read to who asks."""

    staff_permission: Permission | None = None
    staff: bool = False
    customer: bool = False
    person: bool = False
    """Somebody who signed in: not an API key."""

    def check(self, info: Info) -> None:
        """Raises DomainError(UNAUTHENTICATED | FORBIDDEN)."""
        if self.customer and info.context.customer is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in first.")
        if not self.staff:
            return
        identity = info.context.staff
        if identity is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in as staff first.")
        if self.person and identity.is_key:
            raise DomainError(CommonErrorCode.FORBIDDEN, "An API key cannot do this; sign in.")
        if self.staff_permission is not None and not identity.may(self.staff_permission):
            raise DomainError(CommonErrorCode.FORBIDDEN, f"This needs the permission {self.staff_permission}.")


PUBLIC = Access()
ANY_STAFF = Access(staff=True)
ANY_MEMBER = Access(staff=True, person=True)
"""A member of staff who signed in, for what is about themselves."""
CUSTOMER = Access(customer=True)
"""Signed in with an account; the resolver gives it what is its own."""


def STAFF(permission: Permission) -> Access:  # noqa: N802 - reads like the constants beside it
    return Access(staff_permission=permission, staff=True)


def as_graphql_error(errors: list[DomainError]) -> GraphQLError:
    """For places without userErrors. Several errors become one, the rest in `extensions.errors`."""
    first = errors[0]
    extensions: dict[str, Any] = {"code": first.code.name}
    if first.field is not None:
        extensions["field"] = first.field
    if isinstance(first, RateLimitedError):
        extensions["retryAfterSeconds"] = first.retry_after_seconds
    if len(errors) > 1:
        extensions["errors"] = [{"code": e.code.name, "message": e.message, "field": e.field} for e in errors]
    return GraphQLError(first.message, extensions=extensions)


def _noted(info: Info, errors: list[DomainError]) -> list[DomainError]:
    """The same errors. When to try again is for the answer's headers, too."""
    for error in errors:
        if isinstance(error, RateLimitedError):
            info.context.retry_after_seconds = max(info.context.retry_after_seconds, error.retry_after_seconds)
    return errors


def _count(info: Info) -> None:
    """Raises RateLimitedError."""
    if info.context.throttle is not None:
        info.context.throttle.count(info.field_name)


class _QueryGuard(FieldExtension):
    def __init__(self, access: Access) -> None:
        self.access = access

    async def resolve_async(self, next_: Resolver, source: Any, info: Info, **kwargs: Any) -> Any:
        try:
            self.access.check(info)
            _count(info)
            return await next_(source, info, **kwargs)
        except (DomainError, DomainErrors) as error:
            raise as_graphql_error(_noted(info, error.errors)) from error


class _MutationGuard(FieldExtension):
    """Lets in whom `access` allows, and writes down in the audit log what staff and keys do or are refused."""

    def __init__(self, access: Access, resolver: Resolver, *, audited: bool) -> None:
        self.access = access
        self.resolver = resolver
        self.audited = audited

    @functools.cached_property
    def payload(self) -> Callable[..., Any]:
        payload: Callable[..., Any] = get_type_hints(self.resolver)["return"]
        return payload

    async def resolve_async(self, next_: Resolver, source: Any, info: Info, **kwargs: Any) -> Any:
        if info.context.staff is None or not self.audited:
            return await self._resolve(next_, source, info, kwargs)
        action = Action(actor_of(info.context.staff), info.field_name, origin_of(info.context))
        with recording.acting(action):
            payload = await self._resolve(next_, source, info, kwargs)
        if payload.user_errors:
            await recording.refused(action, [error.code.name for error in payload.user_errors])
        else:
            await recording.done(action)
        return payload

    async def _resolve(self, next_: Resolver, source: Any, info: Info, kwargs: dict[str, Any]) -> Any:
        try:
            self.access.check(info)
            _count(info)
            # What is selected is read after the change; a refusal then would say that there was none.
            check_selection(Selection.of(info))
            return await next_(source, info, **kwargs)
        except (DomainError, DomainErrors) as error:
            return self.payload(user_errors=to_user_errors(_noted(info, error.errors)))


def _require_coroutine(resolver: Resolver) -> None:
    if not inspect.iscoroutinefunction(resolver):
        raise TypeError(f"{resolver.__qualname__} must be async: the guard awaits it")


def query(*, access: Access, description: str) -> Callable[[Resolver], Any]:
    """A field of Query."""

    def decorate(resolver: Resolver) -> Any:
        _require_coroutine(resolver)
        return strawberry.field(
            resolver=resolver,
            description=description,
            extensions=[_QueryGuard(access)],
            metadata={"access": access},
        )

    return decorate


def mutation(*, access: Access, description: str, audited: bool = True) -> Callable[[Resolver], Any]:
    """A field of Mutation; the resolver returns a payload whose fields all have defaults.

    Args:
        audited: False where the resolver itself writes the audit log, as the actor is only known in the end.
    """

    def decorate(resolver: Resolver) -> Any:
        _require_coroutine(resolver)
        return strawberry.mutation(
            resolver=resolver,
            description=description,
            extensions=[_MutationGuard(access, resolver, audited=audited)],
            metadata={"access": access},
        )

    return decorate


def subscription(*, access: Access, description: str) -> Callable[[Resolver], Any]:
    """A field of Subscription; the resolver is an async generator with an `info` parameter."""

    def decorate(resolver: Resolver) -> Any:
        @functools.wraps(resolver)
        async def guarded(self: Any, info: Info, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            try:
                access.check(info)
                # Closed with the subscription, not whenever it is collected: it listens for as long as it lives.
                async with (
                    contextlib.aclosing(resolver(self, info, *args, **kwargs)) as values,
                    contextlib.aclosing(while_allowed(info, access.check, values)) as allowed,
                ):
                    async for value in allowed:
                        yield value
            except (DomainError, DomainErrors) as error:
                raise as_graphql_error(_noted(info, error.errors)) from error

        return strawberry.subscription(resolver=guarded, description=description, metadata={"access": access})

    return decorate
