"""What is worked out of documents, kept in one process for the requests that send them again.

Whatever belongs to a node of a document holds all of it, a token after the other: some 280 bytes for a character. So
what is kept is counted by the length of the documents, as the documents themselves are (`schema.documents`): texts that
somebody makes up, each another one, push each other out and do not fill the memory.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, NamedTuple, TypeVar

from graphql import Node

from schema.documents import MAX_DOCUMENT_CHARS, MAX_KEPT_CHARS

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Entry(NamedTuple, Generic[V]):
    value: V
    chars: int


class Kept(Generic[K, V]):
    """The entries that were used last, of documents that have so many characters together.

    Args:
        max_chars: each entry counts as its whole document, even where others of that document are kept.
    """

    def __init__(self, max_chars: int = MAX_KEPT_CHARS) -> None:
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._max_chars = max_chars
        self._chars = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[V]:
        return (entry.value for entry in self._entries.values())

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def keep(self, key: K, value: V, node: Node) -> None:
        """
        Args:
            node: any of the document that the value belongs to. Of one that is too long to come again, nothing is kept.
        """
        chars = len(node.loc.source.body) if node.loc else MAX_DOCUMENT_CHARS
        if chars > MAX_DOCUMENT_CHARS:
            return
        if (before := self._entries.pop(key, None)) is not None:
            self._chars -= before.chars
        self._entries[key] = _Entry(value, chars)
        self._chars += chars
        while self._chars > self._max_chars:
            _, oldest = self._entries.popitem(last=False)
            self._chars -= oldest.chars

    def clear(self) -> None:
        self._entries.clear()
        self._chars = 0
