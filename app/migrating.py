"""Tortoise's migrations, in the time that the statements take.

Tortoise copies its picture of all models before each operation, for those operations that look at how it was, and
prepares queries on each of them, for migrations that query by models. With some eighty tables that made twelve seconds
of computing out of one. Ours look back only to change or drop something, and query in SQL.

It also makes the classes of a model and of all that it is related to, which is nearly every one, anew after each
operation. Here columns that follow each other are added to the picture together, and then to the database one by one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations import operations
from tortoise.migrations.executor import MigrationExecutor, MigrationTarget, PlanStep
from tortoise.migrations.graph import MigrationGraph, MigrationKey
from tortoise.migrations.migration import Migration
from tortoise.migrations.schema_editor.base import BaseSchemaEditor
from tortoise.migrations.schema_generator.state import State
from tortoise.migrations.schema_generator.state_apps import StateApps

_FORWARD_ONLY = (operations.CreateModel, operations.AddField, operations.RunSQL)
"""They ask for what is after them alone. Every other operation gets a copy of what was before it."""


async def run(config: dict[str, Any]) -> None:
    """Apply what the database does not have yet, on the configuration's `default` connection."""
    await Tortoise.init(config=config, init_connections=False)
    await _Executor(get_connection("default"), config["apps"]).migrate()


class _Models(StateApps):
    def _build_initial_querysets(self) -> None:
        """Nothing queries by them."""


@dataclass
class _Picture(State):
    """Of all models. Their classes are made anew when somebody needs them: see `settle`."""

    stale: set[tuple[str, str]] = field(default_factory=set)

    def reload_model(self, app_label: str, model_name: str) -> None:
        self.stale.add((app_label, model_name))

    def reload_models(self, model_tuples: Iterable[tuple[str, str]]) -> None:
        self.stale.update(model_tuples)

    def settle(self) -> None:
        """Before anybody asks for a class, and before a copy is made."""
        if self.stale:
            super().reload_models(self.stale)
            self.stale = set()


def _together(steps: Iterable[operations.Operation]) -> Iterator[list[operations.Operation]]:
    """Columns that follow each other; everything else by itself.

    A table cannot wait: it would be created with the columns, and point to the tables, that come only after it.
    """
    for are_columns, found in groupby(steps, lambda operation: isinstance(operation, operations.AddField)):
        together = list(found)
        yield from [together] if are_columns else [[operation] for operation in together]


class _Step(Migration):
    def __init__(self, written: Migration) -> None:
        super().__init__(written.name, written.app_label)
        self.operations = written.operations
        self.atomic = written.atomic

    async def apply(
        self,
        state: State,
        *,
        dry_run: bool = False,
        schema_editor: BaseSchemaEditor | None = None,
        collect_sql: bool = False,
    ) -> State:
        if dry_run or collect_sql or schema_editor is None or not isinstance(state, _Picture):
            return await super().apply(state, dry_run=dry_run, schema_editor=schema_editor, collect_sql=collect_sql)
        transactional = schema_editor.client.capabilities.supports_transactions
        for found in _together(self.operations):
            before = state if isinstance(found[0], _FORWARD_ONLY) else state.clone()
            for operation in found:
                operation.state_forward(self.app_label, state)
            state.settle()
            for operation in found:
                await self._run_database_forward(operation, before, state, schema_editor, transactional)
        state.validate_relations_initialized()
        return state


class _Executor(MigrationExecutor):
    def _migration_plan(
        self, targets: Iterable[MigrationTarget] | None, applied: set[MigrationKey], graph: MigrationGraph
    ) -> list[PlanStep]:
        plan = super()._migration_plan(targets, applied, graph)
        return [PlanStep(_Step(step.migration), step.backward) for step in plan]

    async def _project_state(self, applied: set[MigrationKey], *, upto: MigrationKey | None = None) -> State:
        connections = dict.fromkeys(self.loader.apps_config, "default")
        state = _Picture(models={}, apps=_Models(default_connections=connections))
        for key in self._full_plan():
            if key == upto:
                break
            if key in applied and (migration := self.loader.graph.nodes[key]) is not None:
                for operation in migration.operations:
                    operation.state_forward(key.app_label, state)
        state.settle()
        state.validate_relations_initialized()
        return state
