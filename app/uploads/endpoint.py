"""`POST /uploads`: a file for a job, as the request's body.

curl --data-binary @products.csv -H "Authorization: Bearer …" -H "Content-Type: text/csv" http://…/uploads
"""

from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from app import rate_limit
from app.audit import recording
from app.audit.actors import actor_of, origin_of_request
from app.audit.recording import Action
from app.errors import CommonErrorCode, DomainError
from app.kit import ids
from app.settings import Settings
from app.staff import queries as staff
from app.staff.permissions import Permission
from app.uploads import service
from app.uploads.errors import UploadErrorCode

UPLOAD_PREFIX = "upload"
FILENAME_HEADER = "x-filename"
ACTION = "upload"
"""In the audit log."""

_STATUS = {
    CommonErrorCode.UNAUTHENTICATED: 401,
    CommonErrorCode.FORBIDDEN: 403,
    UploadErrorCode.UPLOAD_TOO_LARGE: 413,
    CommonErrorCode.RATE_LIMITED: 429,
}
UPLOADS_AN_HOUR = 120
"""By one member of staff or key."""


class Uploads:
    """Takes the body piece by piece; the answer's `uploadId` goes into `productsImport`."""

    def __init__(self, settings: Settings) -> None:
        self._max_bytes = settings.max_upload_bytes
        self._settings = settings

    async def receive(self, request: Request) -> JSONResponse:
        try:
            return await self._receive(request)
        except DomainError as error:
            body = {"error": {"code": error.code.name, "message": error.message}}
            # The rest of a body that was refused is not read, so the connection cannot be used again.
            headers = {"Connection": "close"}
            if isinstance(error, rate_limit.RateLimitedError):
                headers["Retry-After"] = str(error.retry_after_seconds)
            return JSONResponse(body, status_code=_STATUS.get(error.code, 400), headers=headers)
        except ClientDisconnect:
            return JSONResponse({}, status_code=400)

    async def _receive(self, request: Request) -> JSONResponse:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        identity = await staff.identity_of(token.strip()) if scheme.lower() == "bearer" else None
        if identity is None:
            raise DomainError(CommonErrorCode.UNAUTHENTICATED, "Sign in as staff first.")
        if not identity.may(Permission.PRODUCTS_WRITE):
            raise DomainError(CommonErrorCode.FORBIDDEN, f"This needs the permission {Permission.PRODUCTS_WRITE}.")
        await rate_limit.allow("uploads", identity.id.hex, limit=UPLOADS_AN_HOUR, window_seconds=3600)
        if request.headers.get("content-type", "").lower().startswith("multipart/"):
            message = "Send the file itself as the body, not as a form: curl --data-binary @products.csv …"
            raise DomainError(CommonErrorCode.INVALID, message)
        announced = request.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > self._max_bytes:
            message = f"The file is larger than {self._max_bytes:,} bytes."
            raise DomainError(UploadErrorCode.UPLOAD_TOO_LARGE, message)
        upload_id = await service.receive(
            request.stream(),
            filename=unquote(request.headers.get(FILENAME_HEADER, "")) or "upload",
            created_by=identity.id,
            max_bytes=self._max_bytes,
        )
        # The file's pieces are no changes that anybody would read; the job that uses it is.
        await recording.done(Action(actor_of(identity), ACTION, origin_of_request(request, self._settings)))
        return JSONResponse({"uploadId": ids.encode(UPLOAD_PREFIX, upload_id)}, status_code=201)
