from __future__ import annotations

import json
import os
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest

from programs import write_program
from webchat_sync.model import Secret, Sink
from webchat_sync.readings import recognizer
from webchat_sync.redact import forms_of
from webchat_sync.secrets.sinks import Occasion, SinkError, Sinks, read_sink
from webchat_sync.secrets.sinks.process import MOST_OUTPUT

SECRET = Secret("c4n4ry-Zk9vB2mW4tLp0sNd8x")
KEY = Secret("mk_live_abcd.3fgh1jklMNOP")
OCCASION = Occasion("Support", "c-1", "acme", "2026-Q4")
SHOW = "import json,os,sys;d={'stdin':sys.stdin.read(),'argv':sys.argv[1:],'env':dict(os.environ),'cwd':os.getcwd()}"

HANGS = "sys.stdin.read();time.sleep(600)"


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def sinks(environ: Mapping[str, str] | None = None, *, time_limit: float = 60.0) -> Sinks:
    return Sinks({"PATH": os.environ["PATH"], **(environ or {})}, keys=(KEY,), time_limit=time_limit)


def deliver(sink: Sink, by: Sinks | None = None) -> None:
    anyio.run((by or sinks()).deliver, sink, OCCASION, SECRET)


def probe(sink: Sink, by: Sinks | None = None) -> str:
    return anyio.run((by or sinks()).probe, sink, OCCASION)


def python(script: str, folder: Path, *arguments: str, probe: str = "") -> Sink:
    probing = (sys.executable, "-c", probe) if probe else ()
    return Sink("command", argv=(sys.executable, "-c", script, *arguments), probe=probing, folder=str(folder))


def test_a_file_is_replaced_whole_and_for_its_owner_only(tmp_path: Path) -> None:
    target = tmp_path / "a.secret"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o666)
    sink = Sink("file", "a.secret", folder=str(tmp_path))
    assert probe(sink) == ""
    assert target.read_text(encoding="utf-8") == "old"
    deliver(sink)
    assert target.read_text(encoding="utf-8") == f"{SECRET.reveal()}\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert read_sink(sink) == SECRET
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / ".env").symlink_to(tmp_path / "real" / ".env")
    deliver(Sink("dotenv", ".env", "K", folder=str(tmp_path)))
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "real" / ".env").read_text(encoding="utf-8") == f"K={SECRET.reveal()}\n"


def test_a_dotenv_file_keeps_its_other_lines(tmp_path: Path) -> None:
    target = tmp_path / ".env"
    target.write_bytes(b"# ours\r\nA=1\r\nK=old\r\n")
    sink = Sink("dotenv", ".env", "K", folder=str(tmp_path))
    assert probe(sink) == ""
    deliver(sink)
    assert target.read_bytes() == f"# ours\r\nA=1\r\nK={SECRET.reveal()}\r\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert read_sink(sink) == SECRET
    assert read_sink(Sink("dotenv", ".env", "NO", folder=str(tmp_path))) is None


def test_a_command_gets_the_secret_on_its_standard_input_and_nowhere_else(tmp_path: Path) -> None:
    script = f"{SHOW};json.dump(d,open('seen.json','w'))"
    environ = {"MOSEND_API_KEY": KEY.reveal(), "OTHER": f"x{KEY.reveal()}y", "KEPT": "yes"}
    deliver(python(script, tmp_path, "argument"), sinks(environ))
    seen = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert seen.pop("stdin") == SECRET.reveal()
    assert (seen["argv"], seen["cwd"], seen["env"]["KEPT"]) == (["argument"], str(tmp_path), "yes")
    assert SECRET.reveal() not in json.dumps(seen)
    assert KEY.reveal() not in json.dumps(seen)
    names = ("CHANNEL_NAME", "CHANNEL_ID", "ORGANIZATION", "ROTATION")
    assert [seen["env"][f"WEBCHAT_SYNC_{name}"] for name in names] == ["Support", "c-1", "acme", "2026-Q4"]


def test_a_command_without_a_rotation_gets_an_empty_one(tmp_path: Path) -> None:
    sink = python("import os,sys;sys.stdin.read();open('got','w').write(os.environ['WEBCHAT_SYNC_ROTATION'])", tmp_path)
    anyio.run(sinks().deliver, sink, replace(OCCASION, rotation=None), SECRET)
    assert (tmp_path / "got").read_text(encoding="utf-8") == ""


@pytest.mark.parametrize(
    ("last", "error"),
    [
        ("sys.stdin.read()", None),
        ("sys.exit(sys.stdin.read() and 3)", "exited with code 3"),
        ("import os; os.kill(os.getpid(), 9)", "was killed by signal 9"),
        (HANGS, f"`{sys.executable}` was stopped after 1 s"),
    ],
)
def test_what_a_command_has_started_ends_with_it(tmp_path: Path, last: str, error: str | None) -> None:
    start = "p=subprocess.Popen([sys.executable,'-c','import time;time.sleep(600)'])"
    sink = python(f"import subprocess,sys,time;{start};open('pid','w').write(str(p.pid));{last}", tmp_path)
    if error is None:
        deliver(sink)
    else:
        with pytest.raises(SinkError, match=error):
            deliver(sink, sinks(time_limit=1.0) if last == HANGS else None)
    assert ended(int((tmp_path / "pid").read_text(encoding="utf-8")))


def ended(pid: int) -> bool:
    """Whether the process ends within some seconds, if it has not yet."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], 10)[0])
    finally:
        os.close(watched)


def test_what_a_failed_command_prints_is_shown_without_secrets(tmp_path: Path) -> None:
    script = (
        f"import sys;print('no:',sys.stdin.read(),'{KEY.reveal()}',end=' ',flush=True);"
        "print('FAX.',file=sys.stderr);sys.exit(3)"
    )
    with pytest.raises(SinkError) as raised:
        deliver(python(script, tmp_path))
    assert raised.value.message == f"`{sys.executable}` exited with code 3: no: *** *** FAX"


def test_the_end_of_a_long_output_is_shown(tmp_path: Path) -> None:
    script = "import sys;sys.stdin.read();print('start',*range(20000),'end');sys.exit(3)"
    with pytest.raises(SinkError) as raised:
        deliver(python(script, tmp_path))
    shown = raised.value.message.partition("code 3: ")[2]
    assert (shown[-4:], len(shown)) == (" end", MOST_OUTPUT)


@pytest.mark.parametrize("silent", ["pass", "print()"])
def test_a_failed_command_that_prints_nothing_is_named_with_its_code(tmp_path: Path, silent: str) -> None:
    with pytest.raises(SinkError) as raised:
        deliver(python(f"import sys;sys.stdin.read();{silent};sys.exit(3)", tmp_path))
    assert raised.value.message == f"`{sys.executable}` exited with code 3"


def test_a_command_has_to_read_the_secret(tmp_path: Path) -> None:
    with pytest.raises(SinkError) as raised:
        deliver(python("import os;os.read(0, 3)", tmp_path))
    assert raised.value.message == f"`{sys.executable}` exited without reading the secret from its standard input"


def test_a_program_beside_a_manifest_in_the_current_directory_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_program(tmp_path / "deliver.sh", "cat > delivered")
    monkeypatch.chdir(tmp_path)
    sink = Sink("command", argv=("./deliver.sh",))
    assert probe(sink) == ""
    deliver(sink)
    assert (tmp_path / "delivered").read_text(encoding="utf-8") == SECRET.reveal()


@pytest.mark.parametrize(
    "program",
    ["cat", "base64", "base64 -w 8", "base32", "rev", "tr a-z A-Z", "od -An -tx1", "sed 's/./& /g'", "xxd -p"],
)
def test_nothing_that_a_failed_command_prints_tells_the_secret(tmp_path: Path, program: str) -> None:
    printed = subprocess.run(program, shell=True, input=SECRET.reveal(), capture_output=True, text=True, check=False)  # noqa: S602 - of this test
    with pytest.raises(SinkError) as raised:
        deliver(Sink("command", argv=("sh", "-c", f"{program}; exit 3"), folder=str(tmp_path)))
    _, code, message = str(raised.value).partition("exited with code 3")
    assert code
    assert not [word for word in printed.stdout.split() if len(word) > 4 and word in message]
    assert not recognizer([SECRET], forms_of([SECRET]))(message)
    if program == "rev":
        assert message == "; its output isn't shown because it contains a secret"


def test_what_a_failed_program_prints_need_not_be_text(tmp_path: Path) -> None:
    shown = "exited with code 3: a\ufffdb"
    with pytest.raises(SinkError) as raised:
        deliver(Sink("command", argv=("sh", "-c", "cat >/dev/null; printf 'a\\377b'; exit 3"), folder=str(tmp_path)))
    assert raised.value.message == f"`sh` {shown}"
    probing = Sink("file", "a", probe=("sh", "-c", "printf 'a\\377b'; exit 3"), folder=str(tmp_path))
    assert probe(probing) == f"its probe failed: `sh` {shown}"


@pytest.mark.parametrize("secret", ["x" * 4096, "ä\u2028€", "\ud800-\udcff"], ids=["long", "unicode", "surrogates"])
def test_a_command_gets_every_byte_of_a_secret(tmp_path: Path, secret: str) -> None:
    anyio.run(
        sinks().deliver, Sink("command", argv=("sh", "-c", "cat >got"), folder=str(tmp_path)), OCCASION, Secret(secret)
    )
    assert (tmp_path / "got").read_bytes() == secret.encode("utf-8", "surrogatepass")


def test_a_program_that_keeps_a_way_to_write_to_its_own_input_has_read_it(tmp_path: Path) -> None:
    stays = "os.setsid();os.write(w,b'.');time.sleep(600)"
    script = (
        "import os,sys,time;sys.stdin.read();os.open('/dev/stdin',os.O_RDWR);r,w=os.pipe();pid=os.fork()\n"
        f"if not pid: {stays}\n"
        "os.read(r,1);open('pid','w').write(str(pid))"
    )
    try:
        deliver(python(script, tmp_path))
    finally:
        os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), signal.SIGKILL)


def test_programs_are_looked_up_where_the_run_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("theirs", "ours"):
        (tmp_path / name).mkdir()
        write_program(tmp_path / name / name, "cat > ../taken")
    monkeypatch.setenv("PATH", str(tmp_path / "ours"))
    theirs, ours = (Sink("command", argv=(name,), folder=str(tmp_path / name)) for name in ("theirs", "ours"))
    usual = replace(theirs, argv=("sh", "-c", "cat > ../taken"))
    found = Sinks({"PATH": f"{tmp_path / 'theirs'}:{os.defpath}"})
    for sink, by in ((theirs, found), (usual, found), (usual, Sinks({}))):
        assert probe(sink, by) == ""
        deliver(sink, by)
        assert (tmp_path / "taken").read_text(encoding="utf-8") == SECRET.reveal()
        (tmp_path / "taken").unlink()
    for sink, by in ((ours, found), (ours, Sinks({})), (theirs, Sinks({}))):
        assert probe(sink, by) == f"there's no executable `{sink.argv[0]}`"
        with pytest.raises(SinkError, match=r"^can't run"):
            deliver(sink, by)


@pytest.mark.parametrize("kind", ["file", "dotenv", "command"])
def test_a_place_outside_the_repository_needs_permission_in_ci(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "tree" / "sub").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tree")
    path = tmp_path if kind == "command" else tmp_path / "a"
    sink = Sink(kind, "" if kind == "command" else "../a", "K", ("sh",))
    outer = replace(sink, folder=str(tmp_path)) if kind == "command" else sink
    inner = sink if kind == "command" else replace(sink, path="sub/a")
    here, ci = {"PATH": os.environ["PATH"]}, {"PATH": os.environ["PATH"], "CI": "true"}
    assert [probe(inner, Sinks(ci)), probe(outer, Sinks(here))] == ["", ""]
    for around in ("the current directory", "the repository"):
        assert probe(outer, Sinks(ci)) == (
            f"{path} is outside {around}, which the operator must allow in CI. Move it inside, or have the operator "
            "allow it: `--allow-path GLOB` or WEBCHAT_SYNC_ALLOW_PATHS."
        )
        (tmp_path / "tree" / ".git").mkdir(exist_ok=True)
    assert probe(outer, Sinks(ci, allowed_paths=(str(path),))) == ""
    assert probe(outer, Sinks(ci, allowed_paths=(str(tmp_path / "other"),))) != ""


@pytest.mark.parametrize(
    ("content", "replaced"),
    [
        ("", True),
        ("s3cret-of-before=\n", True),
        ("dGhlIHNlY3JldA==", True),
        ("x" * 4096, True),
        ("x" * 4097, False),
        ("A=1\nB=2\n", False),
        ("KEY=value\n", False),
        ("version: 1\n", False),
        ("two words\n", False),
        ("\x7fELF\x00", False),
    ],
)
def test_a_file_that_is_no_secret_is_not_replaced(tmp_path: Path, content: str, replaced: bool) -> None:
    (tmp_path / "a").write_text(content, encoding="utf-8")
    assert (probe(Sink("file", "a", folder=str(tmp_path))) == "") == replaced


def test_nothing_is_run_in_the_sandbox(tmp_path: Path) -> None:
    sink = python("open('ran','w')", tmp_path, probe="open('probed','w')")
    by = Sinks({"PATH": os.environ["PATH"]}, run_commands=False)
    assert probe(sink, by) == ""
    deliver(sink, by)
    assert list(tmp_path.iterdir()) == []


def test_a_secret_that_is_shown_goes_to_whoever_shows_it() -> None:
    shown: list[str] = []
    deliver(Sink("show"), Sinks({}, show=shown.append))
    assert shown == [SECRET.reveal()]
    for unprintable in ("a\nb", "a\u202eb", "::add-mask::a"):
        with pytest.raises(SinkError) as raised:
            anyio.run(Sinks({}, show=shown.append).deliver, Sink("show"), OCCASION, Secret(unprintable))
        assert raised.value.message == (
            "it isn't printed because it contains line feeds, invisible characters or a command for a CI log"
        )
    assert shown == [SECRET.reveal()]


@pytest.mark.parametrize(
    ("sink", "said"),
    [
        (partial(Sink, "file", "no/a"), "no such folder"),
        (partial(Sink, "file", "folder"), "it's a folder"),
        (partial(Sink, "dotenv", "no/.env", "K"), "no such folder"),
        (partial(Sink, "file", "plain/a"), "plain/a: no such folder"),
        (partial(Sink, "file", "a\x00b"), '"a\\u0000b" isn\'t a valid path: it contains a character that no path'),
        (partial(Sink, "command", argv=("no-such-program",)), "there's no executable `no-such-program`"),
        (partial(Sink, "command", argv=("./no-such-program",)), "there's no executable `./no-such-program`"),
        (
            partial(Sink, "command", argv=("cat", "a\0b")),
            r'"a\u0000b" contains a character that no program can receive',
        ),
        (partial(Sink, "command", argv=("\ud800",)), r'"\ud800" contains a character that no program can receive'),
        (partial(Sink, "command"), "it doesn't name a program"),
        (partial(Sink, "vault", "a"), 'this version of webchat-sync doesn\'t know sinks of the kind "vault"'),
        (partial(Sink, "file", "a", probe=("no-such-program",)), "there's no executable `no-such-program`"),
        (partial(Sink, "file", "a", probe=("false",)), "its probe failed: `false` exited with code 1"),
    ],
)
def test_a_sink_that_will_not_take_a_secret_is_known_before(tmp_path: Path, sink: partial[Sink], said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "plain").touch()
    assert said in probe(sink(folder=str(tmp_path)))


def test_a_name_that_no_program_can_receive_is_known_before(tmp_path: Path) -> None:
    occasion = replace(OCCASION, name="a\0b")
    said = r'"a\u0000b" contains a character that no program can receive'
    assert anyio.run(sinks().probe, Sink("command", argv=("cat",), folder=str(tmp_path)), occasion) == said
    assert anyio.run(sinks().probe, Sink("file", "a", probe=("true",), folder=str(tmp_path)), occasion) == said
    assert anyio.run(sinks().probe, Sink("file", "a", folder=str(tmp_path)), occasion) == ""


@pytest.mark.parametrize("kind", ["command", "file", "dotenv"])
def test_a_folder_with_a_character_that_none_can_have_is_known_before(kind: str) -> None:
    for folder in ("\ud800", "a\0b"):
        assert "character that no" in probe(Sink(kind, "a", "K", argv=("cat",), folder=folder)).replace("none", "no")


def test_a_home_directory_that_does_not_exist_is_said_in_plain_words() -> None:
    assert probe(Sink("file", "~no-such-user/x")) == (
        "\"~no-such-user/x\" isn't a valid path: the home directory that `~` refers to isn't known"
    )


@pytest.mark.parametrize("path", ["link", "sub/link", "out/a"])
def test_a_link_out_of_the_folder_of_a_manifest_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for name in ("here", "elsewhere", "tree/sub"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "tree" / "link").symlink_to(tmp_path / "elsewhere" / "a")
    (tmp_path / "tree" / "sub" / "link").symlink_to(tmp_path / "elsewhere" / "a")
    (tmp_path / "tree" / "out").symlink_to(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path / "here")
    named = tmp_path / "tree" / path
    link = named.parent if path == "out/a" else named
    for kind in ("file", "dotenv"):
        sink = Sink(kind, path, "K", folder=str(tmp_path / "tree"))
        assert probe(sink) == f"{named} isn't written because the link {link} leads outside its folder"
        if link == named:
            assert probe(replace(sink, path=str(named), folder=".")) == probe(sink)


def test_a_folder_that_is_missing_is_none_to_run_in(tmp_path: Path) -> None:
    assert "it isn't a folder" in probe(Sink("command", argv=("true",), folder=str(tmp_path / "no")))


def test_a_probe_that_succeeds_and_a_program_by_path_are_fine(tmp_path: Path) -> None:
    write_program(tmp_path / "take", "cat > taken")
    sink = Sink("command", argv=("./take",), probe=("true",), folder=str(tmp_path))
    assert probe(sink) == ""
    deliver(sink)
    assert (tmp_path / "taken").read_text(encoding="utf-8") == SECRET.reveal()


@pytest.mark.parametrize(
    ("sink", "secret", "message"),
    [
        (Sink("file", "no/a"), SECRET, "can't write {folder}/no/a: No such file or directory"),
        (Sink("dotenv", "no/a", "K"), SECRET, "can't write {folder}/no/a: No such file or directory"),
        (
            Sink("dotenv", "a", "K"),
            Secret("a\nb"),
            "{folder}/a can't store the secret: a dotenv file can't represent it",
        ),
        (Sink("command", argv=("./",)), SECRET, "can't run `./`: Permission denied"),
        (Sink("command", argv=("cat",)), Secret("x" * 4097), "the secret is too long for a command"),
    ],
)
def test_what_cannot_be_written_is_a_failed_delivery(tmp_path: Path, sink: Sink, secret: Secret, message: str) -> None:
    with pytest.raises(SinkError) as raised:
        anyio.run(sinks().deliver, replace(sink, folder=str(tmp_path)), OCCASION, secret)
    assert raised.value.message == message.format(folder=tmp_path)


@pytest.mark.parametrize("variable", ["MOSEND_API_KEY", "WEBCHAT_SYNC_MEMORY_TOKEN"])
def test_a_command_gets_no_token_that_is_for_this_program_alone(variable: str, tmp_path: Path) -> None:
    script = "import os,sys;sys.stdin.read();open('got','w').write(' '.join(os.environ))"
    deliver(python(script, tmp_path), sinks({variable: "something", "SITE": "x"}))
    got = (tmp_path / "got").read_text(encoding="utf-8").split()
    assert variable not in got
    assert "SITE" in got
