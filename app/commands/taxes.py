"""`tradewind taxes`: zones and rates to begin from."""

import asyncio
import sys

from rich.text import Text

from app.audit import operators
from app.cli import console, settings, use_running_shop
from app.runtime import running
from app.tax.starting import Loaded, Starter, load_starter, starters


def show() -> None:
    """The sets that `taxes load` knows."""
    for starter in starters().values():
        _say(f"{starter.name}  {starter.title}, as of {starter.as_of}")


def load(name: str, *, state: str = "") -> None:
    """Put a set of zones and rates into the shop. A zone that is there already stays as it is.

    Parameters
    ----------
    name
        Such as eu; see `taxes list`.
    state
        Of the set us: the states where the shop has nexus and is registered, such as CA,NY.
    """
    use_running_shop()
    starter = starters().get(name)
    if starter is None:
        _say(f"There is no set {name!r}; there are {', '.join(starters())}.")
        sys.exit(1)
    starter = _chosen(starter, [code for code in state.upper().replace(" ", "").split(",") if code])
    loaded = asyncio.run(_load(starter))
    _say(f"{starter.title}, as of {starter.as_of}. Source: {starter.source}. Checked: {starter.checked}.")
    _say(starter.note)
    kept = f", {len(loaded.kept)} were there already" if loaded.kept else ""
    _say(f"Zones made: {len(loaded.made)}{kept}.")


def _chosen(starter: Starter, states: list[str]) -> Starter:
    if not starter.by_province:
        if states:
            _say(f"The set {starter.name} is loaded as a whole, without --state.")
            sys.exit(1)
        return starter
    unknown = [code for code in states if code not in starter.provinces]
    if unknown or not states:
        there = ", ".join(starter.provinces)
        said = f"The set has nothing for {', '.join(unknown)}. " if unknown else ""
        _say(f"{said}Name the states where the shop is registered, such as --state CA,NY. There are {there}.")
        sys.exit(1)
    return starter.only(states)


async def _load(starter: Starter) -> Loaded:
    async with running(settings()), operators.command("taxes load"):
        return await load_starter(starter)


def _say(text: str) -> None:
    console.print(Text(text), soft_wrap=True)
