"""The fields of a page's form, as its handlers read them."""

from starlette.requests import Request

from app.web.body import read_fields


def _posted(body: bytes) -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


async def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    assert await read_fields(_posted(b"name=Ada&name=Grace&reason=&decide=a+%26+b"), 100) == {
        "name": "Grace",
        "decide": "a & b",
    }


async def test_what_is_no_form_or_too_long_has_no_fields() -> None:
    for body in (b"", b"\xff\xfe", b"a=1" + b"x" * 100, b"&".join(b"f%d=1" % place for place in range(51))):
        assert await read_fields(_posted(body), 100 if b"x" in body else 10_000) == {}


async def test_a_line_ends_as_it_was_typed_and_not_as_browsers_send_it() -> None:
    sent = b"comment=Too+dear.%0D%0AAsk+again.&code=a%0Db"
    assert await read_fields(_posted(sent), 100) == {"comment": "Too dear.\nAsk again.", "code": "a\rb"}
