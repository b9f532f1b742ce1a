"""What the start of a process costs: what it need not load, and what it keeps."""

import gc
import re
import subprocess
import sys
from pathlib import Path

import pytest

import app
from app.kit.heap import loading

LATER = ["prompt_toolkit", "typst", "stripe"]
"""Heavy, and of no use before somebody asks for what they do."""


@pytest.mark.parametrize("module", ["app.main", "workers.scheduler"])
def test_a_process_loads_nothing_that_it_may_never_need(module: str) -> None:
    code = f"import sys, {module}; print(*({set(LATER)} & sys.modules.keys()))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert loaded.stdout.split() == []


def test_no_model_has_a_comment_that_is_not_read() -> None:
    """See `app.db`: Tortoise would make a column's description of it."""
    models = Path(app.__file__).parent.rglob("models.py")
    assert [path for path in models if re.search(r"^\s+#:", path.read_text(), re.MULTILINE)] == []


def test_what_is_loaded_is_kept_for_good_and_later_garbage_is_not() -> None:
    before = gc.get_freeze_count()
    try:
        with loading():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
    with pytest.raises(ZeroDivisionError), loading():
        raise ZeroDivisionError
    assert gc.isenabled()
