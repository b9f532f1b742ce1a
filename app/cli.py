"""The `tradewind` command. Each command is thin, and imports what it runs only when it runs."""

import asyncio
import os
import sys
from getpass import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

from cyclopts import App, Parameter
from cyclopts.validators import Number
from cyclopts.validators import Path as PathValidator
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from app.settings import Settings

app = App(
    name="tradewind",
    help="A headless commerce server. `tradewind dev` runs a whole shop on this machine.",
    version_flags=["--version"],
)
staff = App(name="staff", help="The people who run the shop.")
app.command(staff)
catalogue = App(name="catalogue", help="Products from files, and into files.")
app.command(catalogue)
taxes = App(name="taxes", help="Zones and rates of tax to begin from.")
app.command(taxes)
# By name, so that no help imports them; what the list of commands says has to stand here then.
taxes.command("app.commands.taxes:show", name="list", help="The sets that `taxes load` knows.")
taxes.command(
    "app.commands.taxes:load",
    name="load",
    help="Put a set of zones and rates into the shop. A zone that is there already stays as it is.",
)
console = Console()
errors = Console(stderr=True)

Port = Annotated[int, Parameter(validator=Number(gte=1, lte=65535))]
Count = Annotated[int, Parameter(validator=Number(gte=1))]
DataFolder = Annotated[Path, Parameter(env_var="TRADEWIND_DATA")]

_DEFAULT_DATA_FOLDER = Path(".tradewind")
_STARTED_BY_DEV = "environment"  # what `tradewind dev` leaves in its folder: see app.dev.environment


@app.command
def dev(*, port: Port = 8000, data: DataFolder = _DEFAULT_DATA_FOLDER) -> None:
    """Run a whole shop for development, with its own PostgreSQL and Valkey and a sample catalogue.

    Parameters
    ----------
    port
        Port of the API, on this machine only.
    data
        Folder that keeps the shop. Shops in other folders, on other ports, can run beside it.
    """
    try:
        from app.dev.errors import DevelopmentError
        from app.dev.supervisor import Supervisor
        from app.dev.terminal import Terminal
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed. `tradewind dev` comes with `make dev`.")
    try:
        Supervisor(data, port, Terminal(console)).run()
    except DevelopmentError as error:
        fail(str(error))


@app.command
def api(*, host: str = "127.0.0.1", port: Port = 8000, workers: Count = 1, shutdown_seconds: Count = 20) -> None:
    """Serve the GraphQL API.

    Parameters
    ----------
    host
        Address to listen on; 0.0.0.0 for every interface.
    port
        Port to listen on.
    workers
        Server processes; one for each core is a good start.
    shutdown_seconds
        Time that open requests have to end when the server is told to stop.
    """
    settings()
    from app.serve import serve_api

    serve_api(host, port, workers, shutdown_seconds)


@app.command
def worker(*, processes: Count = 2, threads: Count = 32, shutdown_seconds: Count = 30) -> None:
    """Run background work: mails, imports, deliveries of events.

    Parameters
    ----------
    processes
        Worker processes on this machine.
    threads
        Jobs that each process runs at a time.
    shutdown_seconds
        Time that running jobs have to end when the worker is told to stop. What does not end is done again.
    """
    settings()
    from app.serve import run_workers

    sys.exit(run_workers(processes, threads, shutdown_seconds))


@app.command
def scheduler() -> None:
    """Run what is due: timers, and events that a crash or an outage left undelivered. Several may run."""
    settings()
    from app.kit.heap import loading

    with loading():
        from workers.scheduler import main as run_scheduler
    run_scheduler()


@app.command
def migrate() -> None:
    """Bring the database to this release, with the flows that come with it as drafts. Safe to run from several
    machines at once."""
    use_running_shop()
    configuration = settings()
    from app.kit.heap import loading

    with loading():
        from app.commands.migrating import migrate_database
    asyncio.run(migrate_database(configuration))
    console.print("The database is up to date.")


@catalogue.command(name="import")
@app.command(name="import")
def import_(
    file: Annotated[Path, Parameter(validator=PathValidator(exists=True, dir_okay=False))],
    *,
    encoding: str | None = None,
    overwrite_stock: bool = False,
    problems: Path | None = None,
) -> None:
    """Import products from a Shopify product CSV. Importing a file again changes only what is not in the shop yet.

    Ends with exit code 1 when a product, or the file as a whole, had to be left out.

    Parameters
    ----------
    file
        The file, as Shopify exports it.
    encoding
        Its encoding, where it is not UTF-8: windows-1252, for example. It is never guessed.
    overwrite_stock
        Set the stock to the file's quantities also for variants whose stock the shop counts already.
    problems
        Write what was wrong, with row and column, to this CSV file.
    """
    use_running_shop()
    configuration = settings()
    from app.commands.catalogue import import_products

    complete = asyncio.run(
        import_products(
            configuration,
            file,
            encoding=encoding,
            overwrite_stock=overwrite_stock,
            problems_file=problems,
            console=console,
        )
    )
    if not complete:
        sys.exit(1)


@catalogue.command(name="export")
def export_(
    file: Path,
    *,
    query: str | None = None,
    status: Annotated[list[str] | None, Parameter(consume_multiple=True)] = None,
    force: bool = False,
) -> None:
    """Write products to a Shopify product CSV. Imported again, it changes nothing; an empty shop gets the same.

    Parameters
    ----------
    file
        Where to write it; - for standard output.
    query
        Only products with all of these words in their names, or with a variant of this SKU.
    status
        Only ACTIVE, DRAFT or ARCHIVED ones; may be given several times.
    force
        Replace a file that is there.
    """
    use_running_shop()
    configuration = settings()
    from app.commands import exporting
    from app.errors import DomainError

    try:
        counts = asyncio.run(
            exporting.export_products(
                configuration, file, query=query, statuses=status or (), force=force, console=errors
            )
        )
    except (DomainError, OSError, ValueError) as error:
        fail(str(error))
    said = f"{counts.products:,} products with {counts.variants:,} variants in {counts.rows:,} rows."
    errors.print(Text(said), soft_wrap=True)


@app.command
def schema(*, development: bool = False, output: Path | None = None) -> None:
    """Print the GraphQL schema as SDL.

    Parameters
    ----------
    development
        With the fields that exist in development alone: the clock and the inbox.
    output
        File to write it to instead.
    """
    from schema import build_schema

    sdl = f"{build_schema(development=development).as_str().rstrip()}\n"
    if output is None:
        sys.stdout.write(sdl)
    else:
        output.write_text(sdl, encoding="utf-8")


@staff.command
def create(email: str, *, name: str = "") -> None:
    """Add an owner, who may do everything. Asks for the password, or takes it from standard input.

    Parameters
    ----------
    email
        Address to sign in with.
    name
        Name that colleagues see; without it, the address.
    """
    use_running_shop()
    configuration = settings()
    from app.commands import staff as staff_commands
    from app.errors import DomainError

    password = getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    try:
        asyncio.run(staff_commands.create(configuration, email, name, password))
    except DomainError as error:
        fail(str(error))
    console.print(Text(f"{email} can sign in."))


@app.command
def doctor() -> None:
    """Check database, Redis, migrations, secrets, mail and payments, and say what to do. Exit code 1 on a problem."""
    use_running_shop()
    from app.doctor import examine

    findings = asyncio.run(examine())
    for finding in findings:
        mark, style = ("✓", "green") if finding.ok else ("✗", "red")
        line = Text(f"{mark} ", style=style).append(finding.name, style="bold").append(f"  {finding.said}", style="")
        console.print(line, soft_wrap=True)
        if finding.advice:
            console.print(Text(f"    {finding.advice}", style="yellow"), soft_wrap=True)
    if not all(finding.ok for finding in findings):
        sys.exit(1)


@app.command
def invariants() -> None:
    """Check that the books are right: stock, payments, orders, events. Changes nothing; exit code 1 if not."""
    use_running_shop()
    configuration = settings()
    from app.commands import books

    violations = asyncio.run(books.check(configuration))
    for violation in violations:
        line = Text(f"✗ {violation.name}", style="red").append(f"  {violation.description}", style="")
        console.print(line, soft_wrap=True)
        for row in violation.rows:
            console.print(Text(f"    {row}", style="yellow"), soft_wrap=True)
    if violations:
        sys.exit(1)
    console.print("The books are right.")


@app.command
def after_restore() -> None:
    """After restoring a backup, and before starting the shop on it: hold marketing, and list what to look at.

    docs/operations.md says what the backup cannot know. Exit code 1 where a payment has to be looked at.
    """
    use_running_shop()
    configuration = settings()
    from app.commands.after_restore import after_restore as look_after

    found = asyncio.run(look_after(configuration))
    for line in (
        f"The last thing that this database knows of happened at {found.moment or 'no time'}.",
        f"Paused: {found.flows_paused} flows and {found.campaigns_paused} campaigns, for you to resume.",
        f"Skipped: {found.marketing_skipped} marketing messages that were reserved.",
        f"Unknown: {found.ambiguous} messages that were being sent.",
        f"Published again: {found.events_published} events. The next order has number {found.next_order_number}.",
        *(f"Invoice numbers {before}… go on as {after}…" for before, after in found.invoice_prefixes),
    ):
        console.print(Text(line), soft_wrap=True)
    for line in found.differing_payments:
        console.print(Text(f"✗ {line}; the shop takes it for AUTHORIZED", style="red"), soft_wrap=True)
    if found.unanswered_payments:
        line = f"✗ {found.unanswered_payments} payments could not be asked after; run this again."
        console.print(Text(line, style="red"), soft_wrap=True)
    if found.differing_payments or found.unanswered_payments:
        sys.exit(1)


@app.command
def reconcile(days: int | None = None) -> None:
    """Compare payments with the gateways now, as the scheduler does every ten minutes, and list what is open.

    Args:
        days: How far to go back; from where the last comparison left off unless given.

    Exit code 1 where something is open, or a gateway did not answer.
    """
    use_running_shop()
    configuration = settings()
    from app.commands.reconcile import reconcile as compare

    compared = asyncio.run(compare(configuration, days))
    for run in compared.runs:
        found = ", ".join(f"{count} {kind}" for kind, count in sorted(run.found.items())) or "nothing new"
        end = "" if run.is_complete else "; it stopped answering"
        console.print(Text(f"{run.gateway}: {run.compared} payments compared, {found}{end}."), soft_wrap=True)
    for one in compared.open:
        line = f"✗ {one.kind} {one.payment_id} {one.gateway}: {one.detail}"
        console.print(Text(line, style="red"), soft_wrap=True)
    if compared.open or not all(run.is_complete for run in compared.runs):
        sys.exit(1)


@app.command
def retention() -> None:
    """Count what is older than the shop keeps it, and would go in the scheduler's next rounds. Changes nothing."""
    use_running_shop()
    configuration = settings()
    from app.commands import privacy

    for line in asyncio.run(privacy.due(configuration)):
        console.print(Text(line), soft_wrap=True)


def settings() -> "Settings":
    """The configuration, or an exit that names each wrong variable."""
    from pydantic import ValidationError

    from app.settings import get_settings

    try:
        return get_settings()
    except ValidationError as error:
        from app.doctor import configuration_problems

        fail("The configuration is not complete:", *(f"  {line}" for line in configuration_problems(error)))


def use_running_shop() -> None:
    """Where no database is configured, the one that `tradewind dev` left in its folder here is meant."""
    from dotenv import dotenv_values

    file = Path(os.environ.get("TRADEWIND_DATA", _DEFAULT_DATA_FOLDER)) / _STARTED_BY_DEV
    if "DATABASE_URL" in os.environ or "DATABASE_URL" in dotenv_values(".env") or not file.exists():
        return
    errors.print(Text(f"Using the development shop in {file.parent}.", style="dim"), soft_wrap=True)
    for line in file.read_text().splitlines():
        name, _, value = line.partition("=")
        os.environ.setdefault(name, value)


def fail(*lines: str) -> NoReturn:
    """Ends the command with these lines and exit code 1."""
    for line in lines:
        errors.print(Text(line), soft_wrap=True)
    sys.exit(1)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
