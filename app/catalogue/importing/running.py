"""A whole file into the shop, batch by batch, each batch one transaction with the note of how far it got."""

import asyncio
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Protocol

import asyncpg
import structlog

from app import db
from app.catalogue.html import sanitise, to_plain_text
from app.catalogue.importing import storing
from app.catalogue.importing.collecting import add_to_collections
from app.catalogue.importing.merging import PreparedProduct, ProductChange, merge
from app.catalogue.shopify_csv import CollectionDraft, Columns, FileCheck, ProductRows, RowProblem, read_products
from app.inventory import receiving

MAX_BATCH_PRODUCTS = 200
MAX_BATCH_VARIANTS = 500
MAX_BATCH_CHARACTERS = 1_000_000
"""Of descriptions: what one transaction sends stays small."""
MAX_DESCRIPTION_CHARACTERS = 1_000_000
"""As safe HTML, in which a sign may take five: an export's cell has to be one that an import reads."""
MAX_TRIES = 5
STOCK_REASON = "import"
_IMPORTS_LOCK_ID = 0x7477_696D_706F

_TRY_AGAIN = (storing.ChangedMeanwhile, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
_CANNOT_BE_STORED = (
    asyncpg.DataError,
    asyncpg.CheckViolationError,
    asyncpg.UniqueViolationError,
    asyncpg.ProgramLimitExceededError,
)

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Counts:
    """What an import has done so far."""

    products_created: int = 0
    products_updated: int = 0
    products_unchanged: int = 0
    products_left_out: int = 0
    variants_created: int = 0
    variants_updated: int = 0
    variants_unchanged: int = 0

    def add(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


@dataclass(slots=True)
class BatchOutcome:
    last_row: int
    counts: Counts = field(default_factory=Counts)
    problems: list[RowProblem] = field(default_factory=list)


class Progress(Protocol):
    """Who keeps account of an import."""

    async def save(self, outcome: BatchOutcome) -> None:
        """Called inside the batch's transaction; raising rolls the batch back and ends the import."""


@dataclass(slots=True)
class _Entry:
    last_row: int
    handle: str
    prepared: PreparedProduct | None
    problems: list[RowProblem]


async def import_products(
    source: IO[bytes],
    check: FileCheck,
    progress: Progress,
    *,
    currency: str,
    after_row: int = 0,
    overwrite_stock: bool = False,
    reference_id: uuid.UUID | None = None,
) -> None:
    """Import a checked file. Done again, or gone on with after a crash, it changes nothing that is there already.

    Args:
        source: the file at its beginning; it is read in a thread.
        after_row: rows up to here are in the shop, by an earlier run.
        overwrite_stock: set counted stock to the file's quantities also where the shop has a stock level. Without it
            an import states the stock of a variant once: sold units would come back with every later file.
        reference_id: noted with the movements of stock, such as the job's id.
    """
    batches = _batches(source, check, currency, after_row)
    store = _Store(check.columns, progress, overwrite_stock, reference_id)
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        await store.batch(batch)


def _batches(source: IO[bytes], check: FileCheck, currency: str, after_row: int) -> Iterator[list[_Entry]]:
    batch: list[_Entry] = []
    variants = characters = 0
    for product in read_products(source, check, currency, after_row=after_row):
        prepared = _prepared(product, check.columns)
        if prepared is not None:
            variants += len(prepared.draft.variants)
            characters += len(prepared.description_html)
        batch.append(_Entry(product.last_row, product.handle, prepared, product.problems))
        if len(batch) >= MAX_BATCH_PRODUCTS or variants >= MAX_BATCH_VARIANTS or characters >= MAX_BATCH_CHARACTERS:
            yield batch
            batch, variants, characters = [], 0, 0
    if batch:
        yield batch


def _prepared(product: ProductRows, columns: Columns) -> PreparedProduct | None:
    """With its description made safe; None, with a problem, where that came to more than an export could hold."""
    draft = product.draft
    if draft is None:
        return None
    html = sanitise(draft.body_html)
    if len(html) > MAX_DESCRIPTION_CHARACTERS:
        message = f"The description has more than {MAX_DESCRIPTION_CHARACTERS:,} characters; the product is left out."
        product.problems.append(RowProblem(draft.row, columns.header("body_html"), message))
        return None
    return PreparedProduct(draft, draft.plain_text or to_plain_text(html), html)


class _Store:
    def __init__(
        self, columns: Columns, progress: Progress, overwrite_stock: bool, reference_id: uuid.UUID | None
    ) -> None:
        self._columns = columns
        self._progress = progress
        self._overwrite_stock = overwrite_stock
        self._reference_id = reference_id

    async def batch(self, entries: Sequence[_Entry]) -> None:
        """One transaction; where a product cannot be stored, halves, down to that product, which is reported."""
        try:
            await self._transaction(entries)
        except _CANNOT_BE_STORED as error:
            if len(entries) > 1:
                middle = len(entries) // 2
                await self.batch(entries[:middle])
                await self.batch(entries[middle:])
                return
            log.warning("product cannot be stored", row=entries[0].last_row, error=type(error).__name__)
            await self._transaction([self._refused(entries[0])])

    @staticmethod
    def _refused(entry: _Entry) -> _Entry:
        row = entry.prepared.draft.row if entry.prepared else entry.last_row
        problem = RowProblem(row, None, "The database refused the product; it is left out.")
        return _Entry(entry.last_row, entry.handle, None, [*entry.problems, problem])

    async def _transaction(self, entries: Sequence[_Entry]) -> None:
        for attempt in range(1, MAX_TRIES + 1):
            try:
                async with db.unit_of_work():
                    # Imports take turns, batch by batch: two of the same file would only get in each other's way.
                    await db.execute("SELECT pg_advisory_xact_lock($1)", _IMPORTS_LOCK_ID)
                    await self._progress.save(await self._apply(entries))
                return
            except _TRY_AGAIN:
                if attempt == MAX_TRIES:
                    raise

    async def _apply(self, entries: Sequence[_Entry]) -> BatchOutcome:
        outcome = BatchOutcome(entries[-1].last_row)
        entries = await self._with_tax_classes(entries)
        stored = await storing.load_by_slug([entry.handle for entry in entries if entry.prepared])
        changes: list[ProductChange] = []
        collections: list[tuple[uuid.UUID, CollectionDraft]] = []
        for entry in entries:
            outcome.problems += entry.problems
            if entry.prepared is None:
                outcome.counts.products_left_out += bool(entry.handle)
                continue
            change = merge(entry.prepared, stored.get(entry.handle), self._columns)
            outcome.problems += change.problems
            self._count(change, outcome.counts)
            if not change.left_out:
                changes.append(change)
                collections += [(change.product.id, place) for place in entry.prepared.draft.collections]
        await storing.write(changes, stored)
        await self._write_stock(changes)
        await add_to_collections(collections)
        return outcome

    async def _with_tax_classes(self, entries: Sequence[_Entry]) -> list[_Entry]:
        """The classes that the products name by their codes, kept until the end of the transaction."""
        codes = {entry.prepared.draft.tax_class for entry in entries if entry.prepared} - {None}
        if not codes:
            return list(entries)
        rows = await db.fetch(
            "SELECT code, id FROM tax_classes WHERE code = ANY($1::text[]) FOR KEY SHARE", list(codes)
        )
        known = {row["code"]: row["id"] for row in rows}
        return [self._with_tax_class(entry, known) for entry in entries]

    def _with_tax_class(self, entry: _Entry, known: Mapping[str, uuid.UUID]) -> _Entry:
        code = entry.prepared.draft.tax_class if entry.prepared else None
        if entry.prepared is None or code is None:
            return entry
        if code not in known:
            message = f"There is no tax class “{code}”; the product is left out."
            problem = RowProblem(entry.prepared.draft.row, self._columns.header("tax_class"), message)
            return _Entry(entry.last_row, entry.handle, None, [*entry.problems, problem])
        return _Entry(entry.last_row, entry.handle, replace(entry.prepared, tax_class_id=known[code]), entry.problems)

    @staticmethod
    def _count(change: ProductChange, counts: Counts) -> None:
        if change.left_out:
            counts.products_left_out += 1
            return
        counts.products_created += change.is_new
        counts.products_updated += change.touches_product and not change.is_new
        counts.products_unchanged += not change.touches_product
        counts.variants_created += change.created_variants
        counts.variants_updated += change.updated_variants
        counts.variants_unchanged += change.unchanged_variants

    async def _write_stock(self, changes: Sequence[ProductChange]) -> None:
        first: dict[uuid.UUID, int] = {}
        restated: dict[uuid.UUID, int] = {}
        for change in changes:
            first |= change.first_stock
            restated |= change.restated_stock
        await receiving.open_levels(first, reason=STOCK_REASON, reference_id=self._reference_id)
        if self._overwrite_stock:
            await receiving.restate_levels(restated, reason=STOCK_REASON, reference_id=self._reference_id)
