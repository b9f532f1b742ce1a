"""Files that a job makes, piece by piece, in the transactions of its work; handed out as a stream."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app import db
from app.errors import DomainError
from app.kit.ids import new_id
from app.uploads.errors import UploadErrorCode


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    id: uuid.UUID
    filename: str
    content_type: str
    size_bytes: int


async def begin(filename: str, content_type: str, *, created_by: uuid.UUID | None) -> uuid.UUID:
    """An empty file. Joins the open unit of work; one that nobody completes goes after a week."""
    file_id = new_id()
    await db.execute(
        """
        INSERT INTO uploads (id, filename, content_type, size_bytes, created_by, created_at)
        VALUES ($1, $2, $3, 0, $4, clock_timestamp())
        """,
        file_id,
        filename,
        content_type,
        created_by,
    )
    return file_id


async def append(file_id: uuid.UUID, position: int, content: bytes) -> None:
    """Its next piece, of any size. Positions count from 0; the unit of work that notes the progress keeps them so."""
    await db.execute(
        "INSERT INTO upload_chunks (id, upload_id, position, content) VALUES ($1, $2, $3, $4)",
        new_id(),
        file_id,
        position,
        content,
    )


async def complete(file_id: uuid.UUID, *, size_bytes: int, kept_hours: int) -> None:
    """From now on it can be fetched, for this many hours of real time."""
    await db.execute(
        """
        UPDATE uploads SET size_bytes = $2, completed_at = clock_timestamp(),
               expires_at = clock_timestamp() + $3 * interval '1 hour'
        WHERE id = $1
        """,
        file_id,
        size_bytes,
        kept_hours,
    )


async def discard(file_id: uuid.UUID) -> None:
    await db.execute("DELETE FROM uploads WHERE id = $1", file_id)


async def find(file_id: uuid.UUID) -> GeneratedFile | None:
    """A file that is complete and has not expired."""
    row = await db.fetchrow(
        """
        SELECT id, filename, content_type, size_bytes FROM uploads
        WHERE id = $1 AND content_type IS NOT NULL AND completed_at IS NOT NULL AND expires_at > clock_timestamp()
        """,
        file_id,
    )
    return GeneratedFile(**row) if row else None


async def made_by(job_id: uuid.UUID) -> GeneratedFile:
    """The file that a job made, which names it in its checkpoint.

    Raises:
        DomainError: NO_DOWNLOAD for a job that made none, has not ended yet, or whose file is gone.
    """
    file_id = await db.fetchval(
        "SELECT (checkpoint->>'fileId')::uuid FROM jobs WHERE id = $1 AND status = 'SUCCEEDED'", job_id
    )
    file = await find(file_id) if file_id else None
    if file is None:
        message = "The job has made no file, has not ended yet, or its file is not kept any more."
        raise DomainError(UploadErrorCode.NO_DOWNLOAD, message, ["jobId"])
    return file


async def pieces(file_id: uuid.UUID) -> AsyncIterator[bytes]:
    """Its content, one piece in memory at a time."""
    position = 0
    while (piece := await _piece(file_id, position)) is not None:
        yield piece
        position += 1


async def _piece(file_id: uuid.UUID, position: int) -> bytes | None:
    content: bytes | None = await db.fetchval(
        "SELECT content FROM upload_chunks WHERE upload_id = $1 AND position = $2", file_id, position
    )
    return content
