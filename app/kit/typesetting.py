"""Templates of Typst made into PDFs, whose fonts come along with it: Latin, Greek and Cyrillic letters look the same on
every machine, others are taken from the machine's own fonts. PDF/A-2b, which archives take (ISO 19005-2)."""

import asyncio
import threading
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    import typst

MAX_AT_ONCE = 2
"""Setting one takes some ten milliseconds of a processor."""

LETTER_COUNTRIES = frozenset({"US", "CA", "MX", "PH", "CL", "CO"})
"""Where paper is US Letter; everybody else has ISO 216."""

_turns = asyncio.Semaphore(MAX_AT_ONCE)
_compiling = threading.Lock()
"""A compiler serves one thread at a time, and a thread goes on when whoever waited for it is gone."""


def paper_of(country_code: str | None) -> str:
    """The name that Typst has for the paper of a country."""
    return "us-letter" if country_code in LETTER_COUNTRIES else "a4"


async def pdf(template: Path, values: Mapping[str, object]) -> bytes:
    """Set a template, in a thread. The same values give the same bytes.

    Args:
        values: what it reads as the JSON text `sys.inputs.document`; nothing of it is read as markup.
    """
    document = orjson.dumps(values).decode()
    async with _turns:
        return await asyncio.to_thread(_compile, template, document)


def _compile(template: Path, document: str) -> bytes:
    import typst  # eighty megabytes with its fonts, and most processes never need it

    inputs = {"document": document}
    with _compiling:
        try:
            made = _compiler(template).compile(sys_inputs=inputs, format="pdf", pdf_standards="a-2b", timestamp=0)
        except typst.TypstError:
            # No font of this machine has some letter, which the standard forbids: a name with a gap beats no document.
            made = _compiler(template).compile(sys_inputs=inputs, format="pdf", timestamp=0)
    if not isinstance(made, bytes):
        raise TypeError("one PDF is one string of bytes")
    return made


@lru_cache
def _compiler(template: Path) -> "typst.Compiler":
    import typst

    return typst.Compiler(template, root=template.parent)
