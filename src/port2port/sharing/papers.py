"""The texts of the network with all signatures under each, whoever brought them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from port2port.core.errors import DecodeError
from port2port.sharing.documents import Document, Text, read

T = TypeVar("T", bound=Text)


@dataclass
class Paper:
    """One text. The same text that came several times, with different signatures, is one paper."""

    mark: str
    text: Text
    copies: list[Document] = field(default_factory=list)
    _known: dict[tuple[str, bytes], bool] = field(default_factory=dict)

    def is_signed_by(self, node: str, *public_keys: bytes) -> bool:
        """Whether the node has signed this text. A wrong signature beside a right one takes nothing away."""
        return any(self._holds(node, key) for key in public_keys)

    def _holds(self, node: str, public_key: bytes) -> bool:
        known = self._known.get((node, public_key))
        if known is None:
            known = any(each.is_signed_by(node, public_key) for each in self.copies)
            self._known[node, public_key] = known
        return known

    def names(self) -> set[str]:
        """Who is said to have signed."""
        return {node for each in self.copies for node in each.signatures}

    def document(self, signers: Iterable[str]) -> Document:
        """The text with one signature of each of these; the caller has checked them."""
        wanted = set(signers)
        found = {node: text for each in self.copies for node, text in each.signatures.items() if node in wanted}
        return Document(kind=self.copies[0].kind, text=self.copies[0].text, signatures=found)


class Papers:
    """All of them, in an order that follows from the texts alone."""

    def __init__(self, documents: Iterable[Document]) -> None:
        by_mark: dict[str, Paper] = {}
        for document in documents:
            try:
                mark, text = document.mark, read(document)
            except DecodeError:
                continue
            by_mark.setdefault(mark, Paper(mark, text)).copies.append(document)
        self._of: dict[type[Any], list[tuple[Paper, Any]]] = {}
        for mark in sorted(by_mark):
            paper = by_mark[mark]
            self._of.setdefault(type(paper.text), []).append((paper, paper.text))

    def of(self, kind: type[T]) -> Sequence[tuple[Paper, T]]:
        """The papers of one kind, with what each says."""
        return self._of.get(kind, [])
