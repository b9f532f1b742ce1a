"""`GET /downloads/{token}`: a file that a job made, as a stream.

It is the one GET that changes something, as the link works once: it is shown to staff alone, never mailed, and a link
that was used up by something else is replaced by another.
"""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.uploads import generated, links

_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


async def download(request: Request) -> Response:
    if request.method != "GET":
        # Starlette lets HEAD in wherever GET may: what only looks must not use the link up.
        return Response(status_code=405, headers={"Allow": "GET", **_HEADERS})
    file = await links.redeem(request.path_params["token"])
    if file is None:
        message = "This link has been used, or has run out. Ask for another one."
        return JSONResponse({"error": message}, status_code=404, headers=_HEADERS)
    headers = {
        **_HEADERS,
        "Content-Length": str(file.size_bytes),
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
    }
    return StreamingResponse(generated.pieces(file.id), media_type=file.content_type, headers=headers)
