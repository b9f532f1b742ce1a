"""What the catalogue does when something happens."""

from app import events
from app.catalogue.exporting import service as exporting
from app.catalogue.importing import service as importing
from app.events import Event
from app.events.delivery import MAX_ATTEMPTS


@events.on(importing.REQUESTED, name="catalogue.products_import", transactional=False)
async def import_products(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await importing.run_import(event.subject_id, is_last_attempt=event.attempt >= MAX_ATTEMPTS)


@events.on(exporting.REQUESTED, name="catalogue.products_export", transactional=False)
async def export_products(event: Event) -> None:
    # As an import: pieces of the file and the note of how far it is commit together.
    if event.subject_id is not None:
        await exporting.run_export(event.subject_id, is_last_attempt=event.attempt >= MAX_ATTEMPTS)
