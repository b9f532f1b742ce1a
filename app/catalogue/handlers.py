"""What the catalogue does when something happens."""

from app import events
from app.catalogue.importing import service as importing
from app.events import Event
from app.events.delivery import MAX_ATTEMPTS


@events.on(importing.REQUESTED, name="catalogue.products_import", transactional=False)
async def import_products(event: Event) -> None:
    # Many transactions, each with its checkpoint: a second run goes on where the first one stopped.
    if event.subject_id is not None:
        await importing.run_import(event.subject_id, is_last_attempt=event.attempt >= MAX_ATTEMPTS)
