"""Long work with progress, what it leaves to download, and the import of products that is done so."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import strawberry

from app import live
from app.catalogue.exporting import service as exporting
from app.catalogue.importing import service as importing
from app.crm import syncing
from app.errors import not_found
from app.flows import backfill, versions
from app.flows.simulation import job as simulation
from app.jobs import queries, service
from app.jobs.models import JobStatus
from app.jobs.queries import JobView
from app.kit import ids
from app.promotions import generating
from app.segments import building
from app.staff.permissions import Permission
from app.uploads import generated, links
from schema.access import ANY_STAFF, STAFF, mutation, query, subscription
from schema.context import Info
from schema.enums import describe_enum
from schema.errors import UserError
from schema.nodes import Node, node_loader
from schema.scalars import JSON
from schema.selection import Selection

JOB_PREFIX = "job"
UPLOAD_PREFIX = "upload"
_PERMISSION_BY_KIND = {
    importing.JOB_KIND: Permission.PRODUCTS_WRITE,
    exporting.JOB_KIND: Permission.PRODUCTS_READ,
    building.JOB_KIND: Permission.MARKETING_WRITE,
    generating.JOB_KIND: Permission.DISCOUNTS_WRITE,
    syncing.JOB_KIND: Permission.INTEGRATIONS_WRITE,
    backfill.JOB_KIND: Permission.MARKETING_READ,
    simulation.JOB_KIND: Permission.MARKETING_READ,
    versions.JOB_KIND: Permission.MARKETING_READ,
}

describe_enum(
    JobStatus,
    "How far a job is.",
    QUEUED="It waits for a worker.",
    RUNNING="A worker is at it, or takes it up again after an interruption.",
    SUCCEEDED="It went through its input to the end; `problems` names what it had to leave out.",
    FAILED="It could not be done; the last of `problems` says why. What it had done by then is kept.",
)


@strawberry.type(description="Something in a job's input that was left out or changed, and why.")
class JobProblem:
    row: int | None = strawberry.field(description="Row of the file as a spreadsheet counts; its header is row 1.")
    column: str | None = strawberry.field(description="Name of the column, as in the file's header.")
    message: str = strawberry.field(description="What is wrong, and what was done about it.")


@strawberry.type(description="Long work that goes on behind the scenes, such as an import.")
class Job(Node):
    kind: str = strawberry.field(description="What it does, such as `PRODUCTS_IMPORT`.")
    status: JobStatus = strawberry.field(description="How far it is.")
    done: int = strawberry.field(
        description="Units done; for an import, rows of the file, and for an export, products."
    )
    total: int | None = strawberry.field(description="Units in all; null while they are not counted yet.")
    problems: list[JobProblem] = strawberry.field(description="What was left out, in the input's order; up to 1000.")
    problem_count: int = strawberry.field(description="Number of all problems, beyond 1000 too.")
    result: JSON | None = strawberry.field(description="What it came to; null before the end.")
    created_at: dt.datetime = strawberry.field(description="When it was asked for.")
    started_at: dt.datetime | None = strawberry.field(description="When a worker first took it up.")
    finished_at: dt.datetime | None = strawberry.field(description="When it ended.")

    @classmethod
    def of(cls, view: JobView) -> "Job":
        return cls(
            id=strawberry.ID(ids.encode(JOB_PREFIX, view.id)),
            kind=view.kind,
            status=view.status,
            done=view.done,
            total=view.total,
            problems=[JobProblem(row=p.row, column=p.column, message=p.message) for p in view.problems],
            problem_count=view.problem_count,
            result=None if view.result is None else JSON(view.result),
            created_at=view.created_at,
            started_at=view.started_at,
            finished_at=view.finished_at,
        )


@strawberry.type(description="Answer to a mutation that starts a job.")
class JobPayload:
    job: Job | None = strawberry.field(default=None, description="The job, queued.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


async def queued(job_id: uuid.UUID) -> JobPayload:
    """The answer to a mutation that has just queued a job."""
    view = await queries.load(job_id)
    return JobPayload(job=Job.of(view) if view else None)


@strawberry.input(
    description="A product CSV as Shopify exports it: UTF-8, separated by commas, with the columns `Handle` and "
    "`Title`. Exactly one of `csv` and `uploadId`."
)
class ProductsImportInput:
    csv: str | None = strawberry.field(default=strawberry.UNSET, description="The file itself, for small ones.")
    upload_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="A file that was sent to `POST /uploads`; it answers this id."
    )
    encoding: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="For a file that is not UTF-8, such as `windows-1252`. It is never guessed.",
    )
    overwrite_stock: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description="Set stock to the file's quantities for variants that have stock already. Otherwise an import "
        "states a variant's stock once, as units sold since would come back.",
    )


@strawberry.type(description="Leave to fetch what a job has made, once.")
class JobDownload:
    url: str = strawberry.field(
        description="Address of the file. It works once and needs no header; keep it to yourself."
    )
    filename: str = strawberry.field(description="Name to save it under.")
    expires_at: dt.datetime = strawberry.field(description="When the address stops working; ask for another then.")


@strawberry.type(description="Answer to `jobDownloadCreate`.")
class JobDownloadPayload:
    download: JobDownload | None = strawberry.field(default=None, description="Where the file is to be had.")
    user_errors: list[UserError] = strawberry.field(default_factory=list, description="What was refused, and why.")


def _may_see(info: Info, view: JobView) -> bool:
    staff = info.context.staff
    if staff is None:
        return False
    return staff.may(Permission.OPERATIONS) or staff.may(_needed(view))


def _needed(view: JobView) -> Permission:
    return _PERMISSION_BY_KIND.get(view.kind, Permission.OPERATIONS)


@node_loader(JOB_PREFIX)
async def _load_jobs(info: Info, texts: Sequence[str], selection: Selection) -> list[Job | None]:
    wanted = [ids.decode(JOB_PREFIX, text, ["id"]) for text in texts]
    views = await queries.load_many(wanted, problems="problems" in selection)
    return [Job.of(view) if (view := views.get(key)) and _may_see(info, view) else None for key in wanted]


async def _visible(info: Info, job_id: uuid.UUID, selection: Selection) -> JobView | None:
    view = await queries.load(job_id, problems="problems" in selection)
    return view if view and _may_see(info, view) else None


@strawberry.type
class JobQueries:
    @query(access=ANY_STAFF, description="A job, for staff who may do what it does, or may see all operations.")
    async def job(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
    ) -> Job | None:
        view = await _visible(info, ids.decode(JOB_PREFIX, id, ["id"]), Selection.of(info))
        return Job.of(view) if view else None


@strawberry.type
class JobMutations:
    @mutation(
        access=STAFF(Permission.PRODUCTS_WRITE),
        description="Import products from Shopify's product CSV. Products are known by their handle and variants by "
        "their option values, so the same file twice changes nothing; columns that the file lacks stay as they are.",
    )
    async def products_import(
        self,
        info: Info,
        input: Annotated[ProductsImportInput, strawberry.argument(description="The file, and how to read it.")],
    ) -> JobPayload:
        staff = info.context.staff
        upload_id = input.upload_id or None
        job_id = await importing.request_import(
            csv=None if input.csv is strawberry.UNSET else input.csv,
            upload_id=upload_id and ids.decode(UPLOAD_PREFIX, upload_id, ["input", "uploadId"]),
            encoding=input.encoding or None,
            overwrite_stock=bool(input.overwrite_stock),
            staff_id=staff.id if staff else None,
            max_upload_bytes=info.context.settings.max_upload_bytes,
        )
        return await queued(job_id)

    @mutation(
        access=ANY_STAFF,
        description="An address for what a job has made, such as an export: it works once, for five minutes, and only "
        "as long as you may do what the job did.",
    )
    async def job_download_create(
        self, info: Info, job_id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
    ) -> JobDownloadPayload:
        staff = info.context.staff
        view = await queries.load(ids.decode(JOB_PREFIX, job_id, ["jobId"]), problems=False)
        # Seeing that a job is there is for operators too; what it has made is for those who may have it.
        if staff is None or view is None or not staff.may(_needed(view)):
            raise not_found("job", ["jobId"])
        file = await generated.made_by(view.id)
        link = await links.create(file.id, actor_id=staff.id, permission=_needed(view))
        return JobDownloadPayload(
            download=JobDownload(url=link.url, filename=file.filename, expires_at=link.expires_at)
        )


@strawberry.type
class JobSubscriptions:
    @subscription(
        access=ANY_STAFF,
        description="A job as it is now, and again at every change of its progress; ends with the job.",
    )
    async def job(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
    ) -> AsyncIterator[Job]:
        job_id = ids.decode(JOB_PREFIX, id, ["id"])
        selection = Selection.of(info)
        shown: JobView | None = None
        async with live.watch(service.topic(job_id)) as changes:
            async for _ in changes:
                view = await _visible(info, job_id, selection)
                if view is None:
                    raise not_found("job", ["id"])
                if view != shown:
                    shown = view
                    yield Job.of(view)
                if view.is_over:
                    return
