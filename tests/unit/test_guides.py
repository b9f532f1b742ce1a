"""What the guides show can be pasted: the schema takes every GraphQL in them, and each file that they name is there."""

import re
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [ROOT / "README.md", ROOT / "docs" / "flows.md"]
_GRAPHQL = re.compile(r"^```graphql\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:]+)\)")


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_schema_takes_what_a_guide_shows(guide: Path) -> None:
    schema = build_schema((ROOT / "schema" / "schema.development.graphql").read_text(encoding="utf-8"))
    documents = _GRAPHQL.findall(guide.read_text(encoding="utf-8"))
    assert documents
    wrong = [error.message for document in documents for error in validate(schema, parse(document))]
    assert wrong == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.name)
def test_the_files_that_a_guide_names_are_there(guide: Path) -> None:
    named = _LINK.findall(guide.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (guide.parent / name).exists()] == []
