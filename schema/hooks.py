"""The hooks of extensions around the steps of an operation, without what Strawberry makes anew for each request.

It wraps every hook of every extension into a context manager of its own, four times a request, and asks each time which
kind of function it is. A class's hooks do not change.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import cache
from inspect import isasyncgenfunction
from typing import Any

from strawberry.extensions import SchemaExtension
from strawberry.extensions.context import (
    ExecutingContextManager,
    OperationContextManager,
    ParsingContextManager,
    ValidationContextManager,
)
from strawberry.extensions.runner import SchemaExtensionsRunner


@cache
def _entered_by(extension: type[SchemaExtension], name: str) -> tuple[Callable[..., Any], bool] | None:
    """What makes the hook's context manager, and whether that is asynchronous; None where the class has none."""
    hook = getattr(extension, name)
    if hook is getattr(SchemaExtension, name):
        return None
    is_async = isasyncgenfunction(hook)
    return (asynccontextmanager(hook) if is_async else contextmanager(hook)), is_async


class _Hooked:
    """All hooks of one step. They are generators: this shop's extensions have no others."""

    __slots__ = ("_extensions", "_name", "_stack")

    def __init__(self, extensions: list[SchemaExtension], name: str) -> None:
        self._extensions = extensions
        self._name = name
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> None:
        for extension in self._extensions:
            if found := _entered_by(type(extension), self._name):  # type: ignore[arg-type]  # classes are hashable
                enter, is_async = found
                if is_async:
                    await self._stack.enter_async_context(enter(extension))
                else:
                    self._stack.enter_context(enter(extension))

    async def __aexit__(self, *raised: Any) -> bool | None:
        return await self._stack.__aexit__(*raised)


class Hooks(SchemaExtensionsRunner):
    def operation(self) -> OperationContextManager:
        return _Hooked(self.extensions, "on_operation")  # type: ignore[return-value]

    def validation(self) -> ValidationContextManager:
        return _Hooked(self.extensions, "on_validate")  # type: ignore[return-value]

    def parsing(self) -> ParsingContextManager:
        return _Hooked(self.extensions, "on_parse")  # type: ignore[return-value]

    def executing(self) -> ExecutingContextManager:
        return _Hooked(self.extensions, "on_execute")  # type: ignore[return-value]
