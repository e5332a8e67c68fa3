"""Reads committed files through the git command, and never writes to a user's repository."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from dataclasses import field
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Final

from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.git_messages import NOT_A_REPOSITORY, why_failed
from webchat_sync.jsonvalue import show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.tree import MOST_BYTES, exists, is_folder, is_skipped, real_path

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
"""What Git sets for hooks and aliases about their repository (``git rev-parse --local-env-vars``)."""

_RUN_NOTHING: Final = ("core.fsmonitor=false", f"core.hooksPath={os.devnull}")
"""Settings that keep Git from running programs that the repository configures."""

_NO_BARE: Final = "safe.bareRepository=explicit"
"""Keeps Git from treating a folder among the files as a bare repository; the memory may use a bare clone."""

_FILTERS: Final = r"^filter\..*\.(clean|process|required)$"
_EMPTY: Final = "WEBCHAT_SYNC_EMPTY"
"""A variable that's set but empty."""

_BLOB: Final = lazy_pattern(rb"[0-9a-f]{40,64} blob ([0-9]+)")


@frozen
class Commit:
    """A commit: the ``revision`` given by the user, and the ``id`` it resolves to."""

    revision: str
    id: str

    def __str__(self) -> str:
        return f"{self.revision} ({self.id[:10]})"


@frozen
class Repository:
    """A work tree at ``root``, and the git command for it."""

    root: Path
    _git: str = field(repr=False)
    _environ: Mapping[str, str] = field(repr=False)

    def commit(self, revision: str) -> Commit:
        """The commit that ``revision`` names. Raises InputError if there is none."""
        if revision.startswith("-"):
            hint = "Use a branch, a tag or a commit, for example `main`."
            raise _wrong(f"{show(revision)} isn't a valid revision", hint)
        result = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if result.returncode == 0:
            return Commit(revision, result.stdout.decode("ascii").strip())
        if self._run("rev-parse", "--is-shallow-repository").stdout.strip() == b"true":
            hint = (
                "This clone is shallow. Fetch the full history: `fetch-depth: 0` for actions/checkout, "
                "GIT_DEPTH: 0 on GitLab."
            )
        elif revision == "HEAD":
            raise _wrong("nothing is committed in this repository yet", "Commit the manifests first.")
        else:
            hint = "Check its name. A branch of the remote is called `origin/NAME`, and exists after `git fetch`."
        raise _wrong(f"git doesn't know the revision {show(revision)}", hint)

    def uncommitted(self, names: Sequence[str]) -> list[str]:
        """The files below ``names``, paths in the repository, that differ from the commit or are new."""
        status = self._ask(
            *self._no_filters(), "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all", "--", *names
        )
        return [os.fsdecode(entry[3:]) for entry in status.split(b"\0") if entry]

    def _no_filters(self) -> list[str]:
        """Options that keep ``status`` from running filters, which are programs."""
        names = self._run("config", "--null", "--name-only", "--get-regexp", _FILTERS).stdout.split(b"\0")
        # As variables, since the name of a filter can contain an equals sign.
        return [f"--config-env={os.fsdecode(name)}={_EMPTY}" for name in names if name]

    def files(self, commit: Commit, names: Sequence[str], suffixes: Collection[str]) -> dict[str, bytes]:
        """The contents of the files in ``names`` at ``commit``, by their paths in the repository.

        In folders, files that end in one of ``suffixes`` are read, unless they're hidden. Symbolic links are followed
        inside the repository. Raises InputError for a link that leads elsewhere, and for a submodule.
        """
        paths = [] if "." in names else ["--", *names]
        listing = self._ask("ls-tree", "-r", "-z", "--full-tree", commit.id, *paths).split(b"\0")
        entries = [entry.partition(b"\t") for entry in listing if entry]
        kinds = {os.fsdecode(name): kind for kind, _, name in entries if not _is_hidden(os.fsdecode(name), names)}
        for name, kind in kinds.items():
            if b" commit " in kind:
                raise _wrong(
                    f"{name} is a submodule, so {commit} doesn't contain its files",
                    f"Pass the other files and folders by name, and run the command for {name} separately.",
                )
        files = [name for name in kinds if name in names or PurePosixPath(name).suffix in suffixes]
        for name in files:
            if "\n" in name or ".." in PurePosixPath(name).parts:
                raise _wrong(f"{show(name)} in {commit} has an unsupported name", "Rename it.")
        request = "".join(f"{commit.id}:{name}\n" for name in files)
        self._check_sizes(commit, request)
        answers = BytesIO(self._ask("cat-file", "--batch", "--follow-symlinks", stdin=os.fsencode(request)))
        return {name: _content(answers, name, commit) for name in files}

    def _check_sizes(self, commit: Commit, request: str) -> None:
        """Raise InputError for a file that's too large, since gigabytes of zeros fit into a small commit."""
        lines = self._ask("cat-file", "--batch-check", "--follow-symlinks", stdin=os.fsencode(request)).splitlines()
        if any(int(blob[1]) > MOST_BYTES for blob in map(_BLOB.fullmatch, lines) if blob):
            most = f"{MOST_BYTES // 2**20} MiB"
            raise _wrong(
                f"a file in {commit} is larger than {most}",
                "No manifest is that large: pass the paths of your manifests.",
            )

    def _ask(self, *arguments: str, stdin: bytes = b"") -> bytes:
        result = self._run(*arguments, stdin=stdin)
        if result.returncode != 0:
            raise _failed(result)
        return result.stdout

    def _run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return _run(self._git, self.root, self._environ, *arguments, stdin=stdin)


def find_repository(path: Path, environ: Mapping[str, str]) -> Repository | None:
    """The repository whose work tree contains ``path``; None if there is none.

    Raises InputError if Git isn't installed but ``path`` seems to be in a repository, and if Git refuses.
    """
    folder = next(parent for parent in [path, *path.parents] if is_folder(parent))
    git = _program(environ)
    if git is None:
        if any(exists(parent / ".git") for parent in [folder, *folder.parents]):
            raise _wrong("git isn't installed, and it's needed to read what is committed", "Install git.")
        return None
    result = _run(git, folder, environ, "rev-parse", "--show-toplevel")
    if result.returncode == 0:
        return Repository(Path(os.fsdecode(result.stdout.removesuffix(b"\n"))).resolve(), git, environ)
    if NOT_A_REPOSITORY in result.stderr.decode("utf-8", "replace"):
        return None
    raise _failed(result)


@contextmanager
def laid_out(repository: Repository, files: Mapping[str, bytes]) -> Iterator[Path]:
    """A temporary folder in which ``files`` have the same relative paths as from the current folder.

    It's removed when the block ends.
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
    """Changes to ``folder`` while a block runs; None changes nothing."""
    return chdir(folder or Path())


def name_in(repository: Repository, path: Path) -> str:
    """The path of ``path`` in the repository, ``.`` for its root. Raises InputError if it's outside."""
    # A link to a file is committed as a link, but its folders may be reached through links.
    physical = real_path(path) if is_folder(path) or not path.name else real_path(path.parent) / path.name
    if not physical.is_relative_to(repository.root):
        hint = "Use files and folders of the same repository."
        raise _wrong(f"{path} is outside the repository {repository.root}", hint)
    return physical.relative_to(repository.root).as_posix()


def relative(repository: Repository, name: str) -> Path:
    """The path from the current folder to the file with that name in the repository."""
    return Path(os.path.relpath(repository.root / name, Path.cwd().resolve()))


def run_git(
    folder: Path, environ: Mapping[str, str], *arguments: str, stdin: bytes = b"", timeout: float
) -> subprocess.CompletedProcess[bytes]:
    """The result of Git in ``folder``, which may be a bare repository; ``timeout`` is in seconds.

    Git gets its own session, so it can't prompt, and finishes even if this program is interrupted. Raises InputError if
    Git isn't installed, and TimeoutError if it took too long; Git and its helpers are killed then.
    """
    if (git := _program(environ)) is None:
        raise _wrong("git isn't installed", "Install git.")
    command, variables = _command(git, folder, environ, arguments)
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - no shell
        command, stdin=pipe, stdout=pipe, stderr=pipe, env=variables, start_new_session=True
    ) as process:
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            raise TimeoutError(errno.ETIMEDOUT, f"git didn't finish within {timeout:g} s") from None
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _program(environ: Mapping[str, str]) -> str | None:
    """The path of git; None if it isn't found. The current folder is skipped, since it may be a pull request's."""
    name = "git.exe" if sys.platform == "win32" else "git"
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    ways = (str(Path(folder, name)) for folder in folders if Path(folder).is_absolute())
    return next(filter(None, map(shutil.which, ways)), None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill Git and its helpers, such as ssh."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _run(
    git: str, folder: Path, environ: Mapping[str, str], *arguments: str, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    command, variables = _command(git, folder, environ, ["-c", _NO_BARE, *arguments])
    return subprocess.run(command, capture_output=True, input=stdin, env=variables, check=False)  # noqa: S603 - no shell


def _command(
    git: str, folder: Path, environ: Mapping[str, str], arguments: Sequence[str]
) -> tuple[list[str], dict[str, str]]:
    """The command line, and the environment without what Git sets for hooks of another repository."""
    elsewhere = {name: value for name, value in environ.items() if name not in _LOCAL_VARIABLES}
    variables = {**elsewhere, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", _EMPTY: ""}
    settings = [word for setting in _RUN_NOTHING for word in ("-c", setting)]
    return [git, "-C", str(folder), "--literal-pathspecs", *settings, *arguments], variables


def _is_hidden(name: str, names: Sequence[str]) -> bool:
    """Whether a folder or file below all of ``names`` that contain it is one that reading a folder skips."""

    def hidden(below: str) -> bool:
        return any(map(is_skipped, PurePosixPath(below).parts))

    roots = [root for root in names if root == "." or name == root or name.startswith(f"{root}/")]
    return all(hidden(name if root == "." else name[len(root) :].lstrip("/")) for root in roots)


def _content(answers: BytesIO, name: str, commit: Commit) -> bytes:
    """The next response of ``git cat-file --batch``: a line with the size, the bytes, a line feed."""
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


def _failed(result: subprocess.CompletedProcess[bytes]) -> InputError:
    return _wrong(f"git failed: {why_failed(result)}", "Run `git status` here for details.")


def _wrong(message: str, hint: str) -> InputError:
    return InputError([Diagnostic(message, hint=hint)])
