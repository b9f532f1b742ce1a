"""Putting a set of zones and rates into the shop, for its staff to go on from."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal
from importlib import resources
from typing import Any

import orjson

from app import db
from app.tax import classes, zone_editing
from app.tax.classes import ClassDraft
from app.tax.settings import load
from app.tax.zone_editing import RateDraft, ZoneDraft

_FOLDER = resources.files("app.tax.starters")
_CLASSES = ("standard", "reduced", "zero")
"""Those that sets have rates for; the first one is the default of a shop without any."""


@dataclass(frozen=True, slots=True)
class Starter:
    """A set: what it is, when its rates were those, where they are from, and when and with what they were compared.

    Attributes:
        by_province: its zones are chosen one by one: where a shop has no duty to collect, it may not.
    """

    name: str
    title: str
    as_of: str
    source: str
    checked: str
    note: str
    zones: list[dict[str, Any]]
    by_province: bool = False

    @property
    def provinces(self) -> list[str]:
        return sorted({code for zone in self.zones for place in zone["locations"] for code in place["provinces"]})

    def only(self, provinces: Collection[str]) -> "Starter":
        """With the zones of these alone."""
        zones = [zone for zone in self.zones if not set(provinces).isdisjoint(zone["locations"][0]["provinces"])]
        return replace(self, zones=zones)


@dataclass(frozen=True, slots=True)
class Loaded:
    """Names of the zones that were made, and of those that were there already and are left as they are."""

    made: list[str]
    kept: list[str]


def starters() -> dict[str, Starter]:
    """By name."""
    files = sorted(file.name for file in _FOLDER.iterdir() if file.name.endswith(".json"))
    return {
        (name := file.removesuffix(".json")): Starter(name, **orjson.loads((_FOLDER / file).read_bytes()))
        for file in files
    }


async def load_starter(starter: Starter) -> Loaded:
    """Make its classes and zones, all or none of them; a zone or class that is there already stays as it is.

    Done again it changes nothing. Nobody is taxed where the set has no zone; `taxSettings` is left alone.
    """
    made, kept = [], []
    async with db.unit_of_work():
        known = await load()
        class_ids = {one.code: one.id for one in known.classes}
        needed = {code for zone in starter.zones for code in zone["rates"]}
        for code in _CLASSES:
            if code in needed and code not in class_ids:
                class_ids[code] = await classes.create_class(ClassDraft(name=code.title(), code=code))
        there = {zone.name for zone in known.zones}
        for zone in starter.zones:
            if zone["name"] in there:
                kept.append(zone["name"])
                continue
            rates = [
                RateDraft(tax_class_id=class_ids[code], name=name, percentage=Decimal(percentage))
                for code, listed in zone["rates"].items()
                for name, percentage in listed
            ]
            await zone_editing.create_zone(ZoneDraft(name=zone["name"], locations=zone["locations"], rates=rates))
            made.append(zone["name"])
    return Loaded(made, kept)
