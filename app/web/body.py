"""Reading the body of a request without ever holding more of it than was agreed."""

from urllib.parse import parse_qs

from starlette.requests import Request

MAX_FORM_FIELDS = 50


async def read_body(request: Request, max_bytes: int) -> bytes | None:
    """None for a longer one; the rest of it is not read."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            return None
    return bytes(body)


async def read_form(request: Request, max_bytes: int) -> dict[str, list[str]]:
    """The fields of a page's form; none for anything else, which a mail program may well send.

    Browsers send the end of a line as two characters, and count one against `maxlength`: it is one again.
    Source: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#constructing-the-form-data-set
    """
    body = await read_body(request, max_bytes)
    try:
        fields = parse_qs((body or b"").decode(), max_num_fields=MAX_FORM_FIELDS)
    except ValueError:
        return {}
    return {name: [value.replace("\r\n", "\n") for value in values] for name, values in fields.items()}


async def read_fields(request: Request, max_bytes: int) -> dict[str, str]:
    """The same, for forms that send each field once: of one that comes twice, the last."""
    return {name: values[-1] for name, values in (await read_form(request, max_bytes)).items()}
