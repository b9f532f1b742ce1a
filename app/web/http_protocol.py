"""uvicorn's HTTP/1.1, with an end to how long and with how much a client may keep it from having a whole request.

uvicorn limits neither how long a request's head takes nor how large it is, with httptools; slow bodies are the business
of `app.web.deadlines`, which knows what an upload is.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD_SECONDS = 15.0
"""From the connection, or the request's first byte, to the end of its headers."""
MAX_HEAD_BYTES = 65_536
"""Of what is read without an end of the headers, or a piece of the body, in sight."""


class BoundedProtocol(HttpToolsProtocol):
    _timer: asyncio.TimerHandle | None = None
    _unfinished_bytes = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unfinished_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self.transport.get_protocol() is not self:  # it is a WebSocket now
            self._stop_timer()
        elif self._unfinished_bytes > MAX_HEAD_BYTES:
            self._refuse(b"431 Request Header Fields Too Large")
        elif self._timer is None and self._is_between_requests():
            self._start_timer()  # the beginning of another request on the same connection

    # What the parser tells while it is fed

    def on_headers_complete(self) -> None:
        self._progress()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unfinished_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._progress()
        super().on_message_complete()

    def _is_between_requests(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn says that it is always there
        return cycle is None or cycle.response_complete

    def _progress(self) -> None:
        self._unfinished_bytes = 0
        self._stop_timer()

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(HEAD_SECONDS, self._refuse, b"408 Request Timeout")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: bytes) -> None:
        self._stop_timer()
        if self.transport.is_closing():
            return
        # Only where no other answer is under way: half an answer and a status make none.
        if self._is_between_requests():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.transport.close()
