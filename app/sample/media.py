"""The sample shop's pictures over HTTP."""

from collections.abc import MutableMapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from app.sample.loading import IMAGES_FOLDER, IMAGES_PATH

CACHE_SECONDS = 30 * 24 * 3600


class Pictures(StaticFiles):
    """Files that change with a release at the most: browsers keep them for a month."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code in (200, 304):
            response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}"
        return response


def mount() -> Mount:
    return Mount(IMAGES_PATH, Pictures(directory=IMAGES_FOLDER), name="sample-pictures")
