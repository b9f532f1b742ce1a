"""The hooks of extensions around the steps of an operation, without what Strawberry makes anew for each request.

It wraps every hook of every extension into a context manager of its own, four times a request, and asks each time which
kind of function it is. A class's hooks do not change.
"""

from collections.abc import Callable
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
from strawberry.types import ExecutionContext


@cache
def _hook_of(extension: type[SchemaExtension], name: str) -> tuple[Callable[..., Any], bool] | None:
    """The hook, and whether it is asynchronous; None where the class has none."""
    hook = getattr(extension, name)
    return None if hook is getattr(SchemaExtension, name) else (hook, isasyncgenfunction(hook))


class _Hooked:
    """All hooks of one step. They are generators that yield once: this shop's extensions have no others."""

    __slots__ = ("_extensions", "_name", "_running")

    def __init__(self, extensions: list[SchemaExtension], name: str) -> None:
        self._extensions = extensions
        self._name = name
        self._running: list[tuple[Any, bool]] = []

    async def __aenter__(self) -> None:
        try:
            for extension in self._extensions:
                if found := _hook_of(type(extension), self._name):  # type: ignore[arg-type]  # classes are hashable
                    hook, is_async = found
                    running = hook(extension)
                    if is_async:
                        await anext(running)
                    else:
                        next(running)
                    self._running.append((running, is_async))
        except BaseException as fault:
            await self._leave(fault)
            raise

    async def __aexit__(self, kind: Any, fault: BaseException | None, trace: Any) -> None:
        if (left := await self._leave(fault)) is not fault and left is not None:
            raise left

    async def _leave(self, fault: BaseException | None) -> BaseException | None:
        """Lets each go on after its `yield`, the last one first, or tells it what went wrong. None of them keeps a
        fault from those around it; one that raises another hands that on."""
        for running, is_async in reversed(self._running):
            try:
                if fault is None:
                    await anext(running, None) if is_async else next(running, None)
                elif is_async:
                    await running.athrow(fault)
                else:
                    running.throw(fault)
            except (StopIteration, StopAsyncIteration):
                pass
            except BaseException as raised:  # noqa: BLE001 - it is the next one's to hear of
                fault = raised
        return fault


class Hooks(SchemaExtensionsRunner):
    async def get_extensions_results(self, ctx: ExecutionContext) -> dict[str, Any]:
        """None of ours has to be waited for."""
        results: dict[str, Any] = {}
        for extension in self.extensions:
            results.update(extension.get_results())  # type: ignore[arg-type]
        return {**results, **ctx.extensions_results}

    def operation(self) -> OperationContextManager:
        return _Hooked(self.extensions, "on_operation")  # type: ignore[return-value]

    def validation(self) -> ValidationContextManager:
        return _Hooked(self.extensions, "on_validate")  # type: ignore[return-value]

    def parsing(self) -> ParsingContextManager:
        return _Hooked(self.extensions, "on_parse")  # type: ignore[return-value]

    def executing(self) -> ExecutingContextManager:
        return _Hooked(self.extensions, "on_execute")  # type: ignore[return-value]
