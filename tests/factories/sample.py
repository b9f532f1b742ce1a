"""The sample shop, as `tradewind dev` fills an empty database."""

from importlib.resources import files

from app.catalogue.importing.service import import_file
from app.staff.service import create_owner
from app.web.routes import SAMPLE_EMAIL, SAMPLE_PASSWORD
from tests.factories import shipping, shop


async def sample_shop() -> None:
    await shop.shop()
    await shipping.zone(*shop.COUNTRIES)
    with files("app.sample").joinpath("shop.csv").open("rb") as source:
        report = await import_file(source)
    assert not report.problems
    await create_owner(SAMPLE_EMAIL, "Owner", SAMPLE_PASSWORD)
