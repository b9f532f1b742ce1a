"""What `make dev` and `make test` do to `.venv`, with a uv that only writes down what it is told."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

INSTALLER = Path(__file__).resolve().parents[2] / "requirements" / "install.py"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a folder of its own: the installer, empty locks, and a uv on the PATH."""
    folder = tmp_path / "a project"
    (folder / "requirements").mkdir(parents=True)
    (folder / "requirements" / "install.py").write_text(INSTALLER.read_text())
    for name in ("dev", "test"):
        (folder / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
    (folder / "pyproject.toml").write_text("")
    programs = tmp_path / "bin"
    programs.mkdir()
    uv = programs / "uv"
    uv.write_text(f'#!/bin/sh\n[ -e "{tmp_path}/broken" ] && exit 1\necho "$@" >> "{tmp_path}/calls"\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    return folder


@pytest.fixture
def make(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Runs the installer; the locks that it then installs from."""
    calls = project.parent / "calls"

    def run(wanted: str) -> list[str]:
        calls.unlink(missing_ok=True)
        installer = _load(project)
        # Making one takes seconds and is Python's own business.
        monkeypatch.setattr(installer, "make_venv", lambda: _pretend_venv(project))
        monkeypatch.setattr(sys, "argv", ["install.py", wanted])
        installer.main()
        lines = calls.read_text().splitlines() if calls.exists() else []
        return [Path(line).name for line in lines if "--requirement" in line]

    return run


def _load(project: Path) -> ModuleType:
    found = importlib.util.spec_from_file_location("install", project / "requirements" / "install.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _pretend_venv(project: Path) -> None:
    programs = project / ".venv" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    version = f"{sys.version_info.major} {sys.version_info.minor}"
    # Answers the question for its version, and has no pip.
    (programs / "python").write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {version}\n')
    (programs / "python").chmod(0o755)
    (programs / "activate").write_text(f"VIRTUAL_ENV='{project / '.venv'}'")


Make = Callable[[str], list[str]]


def test_it_installs_once_and_then_only_when_the_lock_changes(make: Make, project: Path) -> None:
    assert make("dev") == ["dev.txt"]
    assert make("dev") == []
    (project / "requirements" / "dev.txt").write_text("# newer\n")
    assert make("dev") == ["dev.txt"]
    (project / "pyproject.toml").write_text("# newer\n")
    assert make("dev") == ["dev.txt"]


def test_the_tests_bring_a_development_environment_up_and_serve_it_too(make: Make, project: Path) -> None:
    assert make("dev") == ["dev.txt"]
    assert make("test") == ["test.txt"]
    assert make("dev") == []
    # A newer lock must not leave the test tools behind in old versions.
    (project / "pyproject.toml").write_text("# newer\n")
    assert make("dev") == ["test.txt"]
    assert make("test") == []


def test_what_was_broken_off_is_done_again(make: Make, project: Path) -> None:
    assert make("dev") == ["dev.txt"]
    before = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text("# newer\n")
    (project.parent / "broken").touch()
    with pytest.raises(SystemExit, match="failed"):
        make("dev")
    (project.parent / "broken").unlink()
    (project / "pyproject.toml").write_text(before)
    assert make("dev") == ["dev.txt"]


def test_a_project_that_moved_gets_a_new_environment(make: Make, project: Path) -> None:
    make("dev")
    activate = project / ".venv" / "bin" / "activate"
    activate.write_text("VIRTUAL_ENV='/elsewhere/.venv'")
    (project / ".venv" / ".installed-dev").write_text("of elsewhere")
    assert make("dev") == ["dev.txt"]
    assert str(project) in activate.read_text()


def test_an_older_python_is_told_so(project: Path) -> None:
    source = (project / "requirements" / "install.py").read_text()
    pretended = source.replace("import sys\n", "import sys\nsys.version_info = (3, 9, 1)\n", 1)
    (project / "requirements" / "install.py").write_text(pretended)
    answer = subprocess.run(
        [sys.executable, "requirements/install.py", "dev"], cwd=project, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert "needs Python 3.11 or later" in answer.stderr
