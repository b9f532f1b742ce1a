"""The pages' own files, out of memory, under an address that changes when any of them does."""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

HERE = Path(__file__).parent
_FOLDERS = ("shared", "start", "inbox", "flows", "graphiql")
_SUFFIXES = (".css", ".js", ".svg")
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    compressed: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Assets:
    version: str
    files: dict[str, Asset]

    @property
    def prefix(self) -> str:
        return f"/static/{self.version}"


@cache
def assets() -> Assets:
    """Read once a process: they change with a release only."""
    files: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for folder in _FOLDERS:
        for path in sorted((HERE / folder).iterdir()):
            if path.suffix not in _SUFFIXES:
                continue
            content = path.read_bytes()
            name = f"{folder}/{path.name}"
            digest.update(name.encode() + b"\0" + content)
            media_type = mimetypes.types_map[path.suffix]
            files[name] = Asset(content, gzip.compress(content, 6, mtime=0), media_type)
    return Assets(digest.hexdigest()[:12], files)


async def serve(request: Request) -> Response:
    """`/static/{version}/{name}`. A page of the release before may ask for the version that it knew."""
    known = assets()
    asset = known.files.get(request.path_params["name"])
    if asset is None:
        raise HTTPException(404)
    current = request.path_params["version"] == known.version
    headers = {"Cache-Control": _FOREVER if current else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(asset.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.content, headers=headers, media_type=asset.media_type)
