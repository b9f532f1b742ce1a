"""What the developer sees of `tradewind dev`."""

import contextlib
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

_COLOURS = {"api": "cyan", "worker": "magenta", "scheduler": "blue", "PostgreSQL": "green", "Valkey": "green"}
_NAME_WIDTH = 10


class Terminal:
    """Never fails: when the window is gone there is nobody to tell, and the shop still has to stop in order."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, name: str, line: str) -> None:
        text = Text(f"{name:>{_NAME_WIDTH}} ", style=_COLOURS.get(name, "yellow"))
        text.append("│ ", style="dim")
        text.append_text(Text.from_ansi(line))
        self._print(text)

    def welcome(self, port: int, folder: Path, seconds: float) -> None:
        shop = f"http://localhost:{port}"
        table = Table.grid(padding=(0, 2))
        for name, value in (
            ("Start page", f"{shop}/"),
            ("GraphiQL", f"{shop}/graphql"),
            ("Inbox", f"{shop}/inbox"),
            ("Flows", f"{shop}/flows"),
            ("Health", f"{shop}/health/ready"),
            ("Sign in", "owner@example.com / tradewind-dev"),
            ("Kept in", _short(folder)),
        ):
            table.add_row(Text(f"  {name}", style="dim"), Text(value, style="bold"))
        self._print(Text(f"\nTradewind is open ({seconds:.1f} s)", style="bold green"))
        self._print(table)
        self._print(Text("  Ctrl-C stops everything.\n", style="dim"))

    def stopping(self) -> None:
        self._print(Text("\nStopping…", style="dim"))

    def stopped(self, folder: Path) -> None:
        self._print(Text(f"Stopped. The shop is kept in {_short(folder)}.", style="dim"))

    def _print(self, what: Text | Table) -> None:
        # A closed window, or `| head`, which rich would make an exit.
        with contextlib.suppress(OSError, SystemExit):
            self._console.print(what, soft_wrap=True)


def _short(folder: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(folder.relative_to(Path.cwd()))
    return str(folder)
