"""Asks git, by its command. What is committed is read; a repository of the user's is never written to."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Final

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.jsonvalue import show
from webchat_sync.tree import MOST_BYTES, is_skipped

_NOT_A_REPOSITORY: Final = "not a git repository"
_LOCAL_VARIABLES: Final = frozenset(
    (
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GRAFT_FILE",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_NO_REPLACE_OBJECTS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    )
)
"""What git sets for hooks and aliases about the repository that it is in (``git rev-parse --local-env-vars``)."""

_RUN_NOTHING: Final = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}")
"""Settings that keep git from running what the repository names."""

_NO_BARE: Final = "safe.bareRepository=explicit"
"""Keeps git from taking a folder among the files for a bare repository; the memory may be kept from a bare clone."""

_FILTERS: Final = r"^filter\..*\.(clean|process|required)$"
_EMPTY: Final = "WEBCHAT_SYNC_EMPTY"
"""A variable that git finds empty."""

_BLOB: Final = re.compile(rb"[0-9a-f]{40,64} blob ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: the ``revision`` that somebody named, and the ``id`` that it stands for."""

    revision: str
    id: str

    def __str__(self) -> str:
        return f"{self.revision} ({self.id[:10]})"


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree at ``root``, and the git that reads it."""

    root: Path
    _git: str = field(repr=False)
    _environ: Mapping[str, str] = field(repr=False)

    def commit(self, revision: str) -> Commit:
        """The commit that ``revision`` names. Raises InputError when it names none."""
        if revision.startswith("-"):
            raise _wrong(
                f"{show(revision)} isn't a valid revision", "Use a branch, a tag or a commit, for example `main`."
            )
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if done.returncode == 0:
            return Commit(revision, done.stdout.decode("ascii").strip())
        if self._run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            hint = (
                "This clone is shallow. Fetch the full history: `fetch-depth: 0` for actions/checkout, "
                "GIT_DEPTH: 0 on GitLab."
            )
        elif revision == "HEAD":
            hint = "Nothing is committed yet."
        else:
            hint = "Check its name. A branch of the remote is called `origin/NAME`, and exists after `git fetch`."
        raise _wrong(f"git doesn't know the revision {show(revision)}", hint)

    def uncommitted(self, names: Sequence[str]) -> list[str]:
        """The files below ``names``, paths in the repository, that differ from what is committed or are new."""
        status = self._ask(
            *self._no_filters(), "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *names
        )
        return [os.fsdecode(entry[3:]) for entry in status.split(b"\0") if entry]

    def _no_filters(self) -> list[str]:
        """Options that keep ``status`` from running filters, which are programs: what is committed is read without."""
        names = self._run("config", "--null", "--name-only", "--get-regexp", _FILTERS).stdout.split(b"\0")
        # As variables, since the name of a filter may have an equals sign in it.
        return [f"--config-env={os.fsdecode(name)}={_EMPTY}" for name in names if name]

    def files(self, commit: Commit, names: Sequence[str], suffixes: Collection[str]) -> dict[str, bytes]:
        """What the files in ``names`` hold in ``commit``, by their paths in the repository.

        Of a folder in ``names`` the files that end in one of ``suffixes`` count. A symbolic link is followed inside
        the repository. Raises InputError for one that leads elsewhere, and for a submodule. What is hidden below a
        folder in ``names`` does not count.
        """
        paths = [] if "." in names else ["--", *names]
        listing = self._ask("ls-tree", "-r", "-z", "--full-tree", commit.id, *paths).split(b"\0")
        entries = [entry.partition(b"\t") for entry in listing if entry]
        kinds = {os.fsdecode(name): kind for kind, _, name in entries if not _is_hidden(os.fsdecode(name), names)}
        for name, kind in kinds.items():
            if b" commit " in kind:
                raise _wrong(
                    f"{name} is a submodule, so {commit} doesn't contain its files",
                    f"Give {name} as a path of its own.",
                )
        files = [name for name in kinds if name in names or PurePosixPath(name).suffix in suffixes]
        for name in files:
            if "\n" in name or ".." in PurePosixPath(name).parts:
                raise _wrong(f"{show(name)} in {commit} has an unsupported name", "Rename it.")
        asked = "".join(f"{commit.id}:{name}\n" for name in files)
        self._check_sizes(commit, asked)
        answers = BytesIO(self._ask("cat-file", "--batch", "--follow-symlinks", given=os.fsencode(asked)))
        return {name: _content(answers, name, commit) for name in files}

    def _check_sizes(self, commit: Commit, asked: str) -> None:
        """Raise InputError for a file that is too large to be read: a commit holds ten gigabytes of zeros in little."""
        lines = self._ask("cat-file", "--batch-check", "--follow-symlinks", given=os.fsencode(asked)).splitlines()
        if any(int(blob[1]) > MOST_BYTES for blob in map(_BLOB.fullmatch, lines) if blob):
            most = f"{MOST_BYTES // 2**20} MiB"
            raise _wrong(
                f"a file in {commit} is larger than {most}",
                "No manifest is that large: give the paths of your manifests.",
            )

    def _ask(self, *arguments: str, given: bytes = b"") -> bytes:
        done = self._run(*arguments, given=given)
        if done.returncode != 0:
            raise _failed(done)
        return done.stdout

    def _run(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return _run(self._git, self.root, self._environ, *arguments, given=given)


def find_repository(path: Path, environ: Mapping[str, str]) -> Repository | None:
    """The repository in whose work tree ``path`` lies, None when there is none.

    Raises InputError when git is not installed but ``path`` seems to lie in a repository, and when git refuses.
    """
    folder = next(parent for parent in [path, *path.parents] if parent.is_dir())
    git = _program(environ)
    if git is None:
        if any((parent / ".git").exists() for parent in [folder, *folder.parents]):
            raise _wrong("git isn't installed, and it's needed to read what is committed", "Install git.")
        return None
    done = _run(git, folder, environ, "rev-parse", "--show-toplevel")
    if done.returncode == 0:
        return Repository(Path(os.fsdecode(done.stdout.removesuffix(b"\n"))).resolve(), git, environ)
    if _NOT_A_REPOSITORY in done.stderr.decode("utf-8", "replace"):
        return None
    raise _failed(done)


@contextmanager
def laid_out(repository: Repository, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A folder that stands to ``files``, copies outside of the repository, as the current one does to their originals.

    It is there until the block ends. Files of the repository have the same relative paths from it.
    """
    here = Path.cwd().resolve()
    above = Path(os.path.commonpath([here, repository.root]))
    with tempfile.TemporaryDirectory(prefix="webchat-sync-") as copies:
        for name, content in files.items():
            file = Path(copies) / repository.root.relative_to(above) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        stand_in = Path(copies) / here.relative_to(above)
        stand_in.mkdir(parents=True, exist_ok=True)
        yield stand_in


def entered(folder: Path | None) -> chdir[Path]:
    """Makes ``folder`` the current one while a block runs; None leaves it."""
    return chdir(folder or Path())


def name_in(repository: Repository, path: Path) -> str:
    """The path in the repository of ``path``, ``.`` for its root. Raises InputError when it lies outside."""
    # A link to a file is committed as a link; the folders that it lies in may be links from elsewhere.
    physical = path.resolve() if path.is_dir() or not path.name else path.parent.resolve() / path.name
    if not physical.is_relative_to(repository.root):
        hint = "Use files and folders of the same repository."
        raise _wrong(f"{path} is outside the repository {repository.root}", hint)
    return physical.relative_to(repository.root).as_posix()


def relative(repository: Repository, name: str) -> Path:
    """The path from the current folder to the file of that name in the repository."""
    return Path(os.path.relpath(repository.root / name, Path.cwd().resolve()))


def run_git(
    folder: Path, environ: Mapping[str, str], *arguments: str, given: bytes = b"", timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """What git answers in ``folder``, which may be a bare repository; ``timeout`` is in seconds.

    git gets a session of its own: it cannot ask anybody anything, and what ends this program lets it finish. Raises
    InputError when git is not installed, and TimeoutError when it took too long; then it and its helpers are ended.
    """
    git = _program(environ)
    if git is None:
        raise _wrong("git isn't installed", "Install git.")
    command, variables = _command(git, folder, environ, arguments)
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - no shell
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=variables, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(given, timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            raise TimeoutError from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _program(environ: Mapping[str, str]) -> str | None:
    """Where git is, None when it is nowhere. The current folder is not looked in, which may be a pull request's."""
    name = "git.exe" if sys.platform == "win32" else "git"
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    ways = (os.path.join(folder, name) for folder in folders if os.path.isabs(folder))  # noqa: PTH117, PTH118 - as PATH has them
    return next(filter(None, map(shutil.which, ways)), None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git and the helpers that it started, such as ssh."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _run(
    git: str, folder: Path, environ: Mapping[str, str], *arguments: str, given: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command, variables = _command(git, folder, environ, ["-c", _NO_BARE, *arguments])
    return subprocess.run(command, capture_output=True, input=given, env=variables, check=False)  # noqa: S603 - no shell


def _command(
    git: str, folder: Path, environ: Mapping[str, str], arguments: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """The command line, and the environment without what git told a hook or an alias about another repository."""
    elsewhere = {name: value for name, value in environ.items() if name not in _LOCAL_VARIABLES}
    variables = {**elsewhere, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", _EMPTY: ""}
    settings = [word for setting in _RUN_NOTHING for word in ("-c", setting)]
    return [git, "-C", str(folder), "--literal-pathspecs", *settings, *arguments], variables


def _is_hidden(name: str, names: Sequence[str]) -> bool:
    """Whether a folder or a file below all of ``names`` that lead to it is one that reading a folder skips."""

    def hidden(below: str) -> bool:
        return any(map(is_skipped, PurePosixPath(below).parts))

    roots = [root for root in names if root == "." or name == root or name.startswith(f"{root}/")]
    return all(hidden(name if root == "." else name[len(root) :].lstrip("/")) for root in roots)


def _content(answers: BytesIO, name: str, commit: Commit) -> bytes:
    """The next answer of ``git cat-file --batch``: a line with the size, the bytes, a line feed."""
    head = answers.readline().rstrip(b"\n")
    if blob := _BLOB.fullmatch(head):
        content = answers.read(int(blob[1]))
        answers.read(1)
        return content
    if head.endswith(b" missing"):
        raise _wrong(
            f"git can't find the contents of {name} in {commit}", "Run `git fsck`, or clone the repository again."
        )
    hint = "Commit the file itself instead of the link."
    raise _wrong(f"{name} in {commit} is a symbolic link that doesn't lead to a file in the repository", hint)


def _failed(done: subprocess.CompletedProcess[bytes]) -> InputError:
    said = " ".join(done.stderr.decode("utf-8", "replace").split()).removeprefix("fatal: ")
    return _wrong(f"git failed: {said or f'exit code {done.returncode}'}", "Run `git status` here for details.")


def _wrong(message: str, hint: str) -> InputError:
    return InputError([Diagnostic(message, hint=hint)])
