"""Files handed over for a job. They are kept in PostgreSQL, in pieces, where every worker can read them."""

import asyncio
import hashlib
import tempfile
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import IO

from app import db
from app.errors import DomainError, not_found
from app.kit.ids import new_id
from app.kit.text import check_text
from app.uploads.errors import UploadErrorCode

CHUNK_BYTES = 512 * 1024
KEPT_DAYS = 7
"""A file can be imported again for a week; an upload that broke off goes after the same time."""
FORGOTTEN_AT_ONCE = 2
"""More than come in at a time, so that they do not add up."""
MAX_FILENAME_CHARACTERS = 255
_IN_MEMORY_BYTES = 4 * 1024 * 1024


async def receive(
    content: AsyncIterator[bytes], *, filename: str, created_by: uuid.UUID | None, max_bytes: int
) -> uuid.UUID:
    """Store a file as it comes in, holding one piece of it in memory. Every piece is a transaction of its own.

    Raises:
        DomainError: UPLOAD_EMPTY, UPLOAD_TOO_LARGE beyond `max_bytes`, INVALID for a name that cannot be stored;
            nothing is kept.
    """
    filename = filename[:MAX_FILENAME_CHARACTERS]
    if error := check_text(filename, MAX_FILENAME_CHARACTERS, ["filename"]):
        raise error
    await forget_old()
    upload_id = new_id()
    await db.execute(
        """
        INSERT INTO uploads (id, filename, size_bytes, created_by, created_at)
        VALUES ($1, $2, 0, $3, clock_timestamp())
        """,
        upload_id,
        filename,
        created_by,
    )
    try:
        size, digest = await _store(upload_id, content, max_bytes)
        if not size:
            raise DomainError(UploadErrorCode.UPLOAD_EMPTY, "The file is empty.")
    except BaseException:
        await asyncio.shield(db.execute("DELETE FROM uploads WHERE id = $1", upload_id))
        raise
    await db.execute(
        "UPDATE uploads SET size_bytes = $2, sha256 = $3, completed_at = clock_timestamp() WHERE id = $1",
        upload_id,
        size,
        digest,
    )
    return upload_id


async def _store(upload_id: uuid.UUID, content: AsyncIterator[bytes], max_bytes: int) -> tuple[int, bytes]:
    digest = hashlib.sha256()
    piece = bytearray()
    size = position = 0
    async for part in content:
        size += len(part)
        if size > max_bytes:
            message = f"The file is larger than {max_bytes:,} bytes; split it, or raise MAX_UPLOAD_BYTES."
            raise DomainError(UploadErrorCode.UPLOAD_TOO_LARGE, message)
        digest.update(part)
        piece += part
        while len(piece) >= CHUNK_BYTES:
            await _store_piece(upload_id, position, bytes(piece[:CHUNK_BYTES]))
            del piece[:CHUNK_BYTES]
            position += 1
    if piece:
        await _store_piece(upload_id, position, bytes(piece))
    return size, digest.digest()


async def _store_piece(upload_id: uuid.UUID, position: int, content: bytes) -> None:
    await db.execute(
        "INSERT INTO upload_chunks (id, upload_id, position, content) VALUES ($1, $2, $3, $4)",
        new_id(),
        upload_id,
        position,
        content,
    )


async def receive_text(text: str, *, filename: str, created_by: uuid.UUID | None, max_bytes: int) -> uuid.UUID:
    """Store a file that came as text within a request. Raises DomainError as `receive` does."""

    async def content() -> AsyncIterator[bytes]:
        yield text.encode("utf-8", "replace")

    return await receive(content(), filename=filename, created_by=created_by, max_bytes=max_bytes)


async def ensure_complete(upload_id: uuid.UUID) -> None:
    """Raises DomainError(NOT_FOUND) for an upload that is not there, or has not ended yet."""
    if not await db.fetchval("SELECT true FROM uploads WHERE id = $1 AND completed_at IS NOT NULL", upload_id):
        raise not_found("upload", ["uploadId"])


@asynccontextmanager
async def opened(upload_id: uuid.UUID) -> AsyncIterator[IO[bytes]]:
    """The file, seekable and at its beginning; beyond a few megabytes it lies on disk, not in memory.

    Raises:
        DomainError: NOT_FOUND.
    """
    await ensure_complete(upload_id)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as file:
        position = 0
        while True:
            piece = await db.fetchval(
                "SELECT content FROM upload_chunks WHERE upload_id = $1 AND position = $2", upload_id, position
            )
            if piece is None:
                break
            await asyncio.to_thread(file.write, piece)
            position += 1
        file.seek(0)
        yield file


async def forget_old(days: int = KEPT_DAYS) -> None:
    """Delete files when they expire, uploads after so many days, unless a job that is not over still needs its file.

    Some at a time: gigabytes would take longer than a statement may, and whoever uploads waits for it.
    """
    await db.execute(
        """
        DELETE FROM uploads WHERE id = ANY(ARRAY(
            SELECT u.id FROM uploads u
            WHERE coalesce(u.expires_at, u.created_at + $1 * interval '1 day') < clock_timestamp() AND NOT EXISTS (
                SELECT FROM jobs j WHERE j.status IN ('QUEUED', 'RUNNING') AND j.input->>'uploadId' = u.id::text
            )
            ORDER BY u.created_at LIMIT $2 FOR UPDATE OF u SKIP LOCKED
        ))
        """,
        days,
        FORGOTTEN_AT_ONCE,
    )
