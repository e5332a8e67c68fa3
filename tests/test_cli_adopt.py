from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from commands import Emulated, emulated, manifest_in
from webchat_sync.emulator import Fault, Faults

MANIFEST = """\
# Our channels.
version: 1
organization: ${MOSEND_ORG_ID}
defaults:
  color: "#111111" # brand
channels:
  - name: Support # the first
    theme: ${WEBCHAT_THEME:-dark}
    allowedDomains: [a.example, "b.example"] # ours
    prechatFields:
      - { label: Email, required: true } # ask
    sync:
      ignore: [bubblePosition] # set in the dashboard
    bubblePosition: left
  - name: Sales
    theme: ${WEBCHAT_THEME:-dark}
    offlineMessage: |
      We are closed.
      Come back.
  - name: New
  - name: Old
    sync: {state: absent}
"""
ADOPTED = """\
# Our channels.
version: 1
organization: ${MOSEND_ORG_ID}
defaults:
  color: "#111111" # brand
channels:
  - name: Support # the first
    theme: light
    allowedDomains: ["b.example", "c.example"] # ours
    prechatFields:
      - { label: Email, required: false } # ask
      - { label: Phone, required: true }
    sync:
      ignore: [bubblePosition] # set in the dashboard
      id: c-1
    bubblePosition: left
  - name: Sales
    theme: ${WEBCHAT_THEME:-dark}
    offlineMessage: |
      We are closed.
      Come back.
    color: "#222222"
    sync: { id: c-2 }
  - name: New
  - name: Old
    sync: {state: absent}
"""


@pytest.fixture
def api() -> Iterator[Emulated]:
    fields = [{"id": "f-1", "label": "Email", "required": False}, {"id": "f-2", "label": "Phone", "required": True}]
    support = {"name": "Support", "id": "c-1", "theme": "light", "color": "#111111", "bubblePosition": "right"}
    support_lists = {"allowedDomains": ["C.example", "B.example"], "prechatFields": fields}
    sales = {"name": "Sales", "id": "c-2", "theme": "dark", "color": "#222222"}
    offline = {"offlineMessage": "We are closed.\nCome back."}
    others = [{"name": "Old", "id": "c-3"}, {"name": "It's *new*", "id": "c-4"}]
    with emulated({**support, **support_lists}, {**sales, **offline}, *others) as running:
        yield running


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    file = tmp_path / "channels.yaml"
    file.write_text(MANIFEST, encoding="utf-8")
    return file


def test_the_files_become_what_is_live_and_nothing_else_in_them_changes(api: Emulated, manifest: Path) -> None:
    done = api.invoke("adopt", manifest, "--auto-approve")
    assert (done.code, manifest.read_text(encoding="utf-8")) == (0, ADOPTED.replace('"c.example"', '"C.example"'))
    assert api.taken_calls() == ["GET"]
    name = manifest.as_posix()
    assert done.out.startswith(f"--- {name}\n+++ {name}\n@@ ")
    assert "\n-    theme: ${WEBCHAT_THEME:-dark}\n" in done.out
    assert "\n+    theme: light\n" in done.out
    assert f"{name}:8:12: warning: channels[0].theme: `${{WEBCHAT_THEME:-dark}}` no longer gives" in done.err
    assert f"{name}:15:5: warning: channels[1].color: the value in `defaults` is unchanged" in done.err
    assert "1 live channel isn't in any file: \"It's *new*\". To write a file for it:\n" in done.err
    assert "  webchat-sync import --org acme --only c-4 --out imported/\n" in done.err
    assert done.err.endswith(f"Wrote {manifest}.\n")
    again = api.invoke("adopt", manifest)
    assert (again.code, again.out) == (64, "")
    again = api.invoke("adopt", manifest, "--check")
    assert (again.code, again.out) == (0, "")
    assert again.err.endswith("Nothing to adopt: the differences above remain.\n")
    assert f'{name}:24:5: warning: "New" isn\'t live, so the next apply creates it' in again.err
    quiet = api.invoke("adopt", manifest, "--check", "--quiet")
    assert '"New" isn\'t live' in quiet.err
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("  - name: New\n", ""), encoding="utf-8")
    done = api.invoke("adopt", manifest, "--check")
    assert done.err.endswith("Nothing to adopt: the files match what is live.\n")
    manifest.write_text(ADOPTED, encoding="utf-8")
    assert api.invoke("plan", manifest).last_line == "Plan: 1 to add, 0 to change, 1 to destroy."


def test_a_file_that_was_formatted_stays_formatted(api: Emulated, manifest: Path) -> None:
    assert api.invoke("fmt", manifest).code == 0
    assert api.invoke("adopt", manifest, "--auto-approve").code == 0
    adopted = manifest.read_text(encoding="utf-8")
    assert "      id: c-1\n      ignore: [bubblePosition] # set in the dashboard\n" in adopted
    assert '  - name: Sales\n    color: "#222222"\n' in adopted
    assert adopted.count(" # ") == MANIFEST.count(" # ")
    assert api.invoke("fmt", "--check", manifest).code == 0
    assert api.invoke("adopt", manifest, "--check").code == 0


def test_check_shows_the_edit_and_writes_nothing(api: Emulated, manifest: Path) -> None:
    checked = api.invoke("adopt", manifest.parent, "--check")
    assert (checked.code, manifest.read_text(encoding="utf-8")) == (2, MANIFEST)
    assert "+      id: c-1\n" in checked.out
    colored = api.invoke("adopt", manifest, "--check", colorful=True)
    assert "\x1b[32m+      id: c-1\x1b[0m\n" in colored.out


@pytest.mark.parametrize(("answer", "code", "text"), [("yes\n", 0, ADOPTED), ("y\n", 1, MANIFEST), ("", 130, MANIFEST)])
def test_on_a_terminal_adopt_asks(api: Emulated, manifest: Path, answer: str, code: int, text: str) -> None:
    asked = api.invoke("adopt", manifest, interactive=True, stdin=answer)
    assert "Only `yes` will be accepted." in asked.err
    assert (asked.code, manifest.read_text(encoding="utf-8").replace("C.", "c.")) == (code, text)


def test_where_nobody_can_be_asked_adopt_reads_nothing(api: Emulated, manifest: Path) -> None:
    refused = api.invoke("adopt", manifest)
    assert (refused.code, api.taken_calls()) == (64, [])
    assert "--auto-approve or --check" in refused.err


def test_mode_line_endings_byte_order_mark_and_links_of_a_file_stay(api: Emulated, tmp_path: Path) -> None:
    real, link = tmp_path / "real" / "file", tmp_path / "a.yaml"
    real.parent.mkdir()
    real.write_bytes(b"\xef\xbb\xbf" + MANIFEST.replace("\n", "\r\n").encode())
    real.chmod(0o640)
    link.symlink_to(real)
    assert api.invoke("adopt", link, "--auto-approve").code == 0
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_bytes() == b"\xef\xbb\xbf" + ADOPTED.replace("c.ex", "C.ex").replace("\n", "\r\n").encode()
    assert list(real.parent.iterdir()) == [real]


def test_what_cannot_be_declared_stays_and_is_told(tmp_path: Path) -> None:
    text = "version: 1\nchannels:\n  - {name: A, color: '#fff'}\n  - {name: B, sync: {id: c-2}}\n  - {name: C}\n"
    file = tmp_path / "a.yaml"
    file.write_text(text, encoding="utf-8")
    with emulated({"name": "A", "id": "c-1", "color": "red"}, {"name": "C", "id": "c-2"}) as api:
        done = api.invoke("adopt", file, "--auto-approve")
        assert done.code == 0
        assert ':3:22: warning: `color` of "A" isn\'t changed: "red" doesn\'t have the' in done.err
        assert ':4:12: warning: `name` of "B" isn\'t changed: its live name "C" belongs to' in done.err
        assert file.read_text(encoding="utf-8") == text.replace("'#fff'}", "'#fff', sync: {id: c-1}}")


def test_a_folder_of_files_in_yaml_and_json_is_adopted_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nchannels:\n- name: A\n", encoding="utf-8")
    (tmp_path / "b.json").write_text('{"version": 1, "channels": [{"name": "B", "theme": "dark"}]}\n', encoding="utf-8")
    (tmp_path / "c.yaml").write_text(
        "version: 1\nchannels: [{name: C}]\n---\nversion: 1\nchannels: []\n", encoding="utf-8"
    )
    with emulated({"name": "A", "id": "1e3"}, {"name": "B", "id": "b"}, {"name": "C", "id": "c"}) as api:
        assert api.invoke("adopt", tmp_path, "--auto-approve").code == 0
        assert api.invoke("plan", tmp_path, "--detailed-exitcode").code == 0
    assert (tmp_path / "a.yaml").read_text(
        encoding="utf-8"
    ) == 'version: 1\nchannels:\n- name: A\n  sync: { id: "1e3" }\n'
    assert (tmp_path / "b.json").read_text(encoding="utf-8") == (
        '{"version": 1, "channels": [{"name": "B", "theme": "auto", "sync": {"id": "b"}}]}\n'
    )


def test_a_file_that_changes_while_it_is_adopted_is_left_alone(manifest: Path) -> None:
    async def edit_meanwhile(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        manifest.write_text(MANIFEST.replace("channels:", "\nchannels:"), encoding="utf-8")
        await app(scope, receive, send)

    with emulated({"name": "Support", "id": "c-1"}, faults=Faults([Fault(edit_meanwhile)])) as api:
        refused = api.invoke("adopt", manifest, "--auto-approve")
        assert (refused.code, refused.out) == (1, "")
        assert "has changed since it was read" in refused.err


def test_a_channel_that_cannot_be_matched_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("version: 1\nchannels: [{name: A}]\n", encoding="utf-8")
    with emulated({"name": "A", "id": "1"}, {"name": "A", "id": "2"}) as api:
        refused = api.invoke("adopt", file, "--auto-approve")
        assert (refused.code, "2 live channels have the name" in refused.err) == (1, True)


def test_a_pinned_channel_that_was_deleted_live_does_not_keep_the_others_from_being_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """\
version: 1
channels:
  - name: Support
    theme: dark
  - name: Sales
    sync: { id: c-2 }
  - name: Gone on purpose
    sync: { id: c-3, state: absent }
"""
    file = manifest_in(tmp_path, monkeypatch, text)
    with emulated({"name": "Support", "id": "c-1", "theme": "light"}, {"name": "Sales", "id": "c-9"}) as api:
        done = api.invoke("adopt", "--auto-approve")
        assert done.code == 0
        assert (
            'channels.yaml:5:5: warning: "Sales" is pinned to the id c-2, but no live channel has that id' in done.err
        )
        assert "Gone on purpose" not in done.err
        assert "--only c-9" in done.err  # it may have been created again
        assert file.read_text(encoding="utf-8") == text.replace(
            "    theme: dark\n", "    theme: light\n    sync: { id: c-1 }\n"
        )
        again = api.invoke("adopt", "--check")
        assert (again.code, again.err.splitlines()[-1]) == (0, "Nothing to adopt: the differences above remain.")


def test_a_comment_that_a_rewrite_loses_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "channels.yaml"
    text = """\
version: 1
organization: acme
channels:
  - name: Support
    departments:
      # asked first
      - name: Sales
      # since the move
      - name: Returns # by mail only
    offlineAction: # see the handbook
      # of 2024
      kind: MESSAGE_ALLOW
"""
    file.write_text(text, encoding="utf-8")
    live = {"name": "Support", "departments": [{"name": "Returns"}], "offlineAction": "MESSAGE_ALLOW"}
    with emulated(live) as api:
        adopted = api.invoke("adopt", file, "--auto-approve")
    assert adopted.code == 0
    assert (
        "channels.yaml:6:7: warning: this comment would be removed together with its value: # asked first"
        in adopted.err
    )
    assert (
        "channels.yaml:11:7: warning: this comment would be removed together with its value: # of 2024" in adopted.err
    )
    after = file.read_text(encoding="utf-8")
    assert adopted.err.count("this comment would be removed") == 2
    assert "      # since the move\n      - name: Returns # by mail only\n" in after
    assert "offlineAction: MESSAGE_ALLOW # see the handbook\n" in after


def test_a_live_value_that_breaks_a_rule_is_adopted_with_a_warning(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    policy = {
        "properties": {
            "theme": {"const": "dark", "x-message": "our sites are dark"},
            "color": {"pattern": "^#0", "x-severity": "warning", "x-message": "use a dark colour"},
        }
    }
    (tmp_path / "p.schema.json").write_text(json.dumps(policy), encoding="utf-8")
    file = tmp_path / "a.yaml"
    text = (
        "version: 1\norganization: acme\nsettings: {policy: p.schema.json}\nchannels:\n"
        '  - {name: A, theme: dark, color: "#000000", sync: {id: c-1}}\n'
        '  - {name: B, color: "#222222", sync: {id: c-2}}\n'
    )
    file.write_text(text, encoding="utf-8")
    second = {"name": "B", "id": "c-2", "color": "#222222"}
    with emulated({"name": "A", "id": "c-1", "theme": "light", "color": "#111111"}, second) as api:
        done = api.invoke("adopt", tmp_path, "--auto-approve")
        assert (done.code, file.read_text(encoding="utf-8")) == (
            0,
            text.replace("dark, ", "light, ").replace("#000000", "#111111"),
        )
        name, rules = file.as_posix(), tmp_path.as_posix() + "/p.schema.json"
        hint = f"A rule of {rules}. Change it live, then run adopt again; or change the policy."
        assert done.err == (
            f"{name}:5:22: warning: channels[0].theme: with this live value, `validate` and `plan` will fail: our "
            "sites are dark\n"
            '  5 |   - {name: A, theme: light, color: "#111111", sync: {id: c-1}}\n'
            "    |                      ^\n"
            f"  {hint}\n"
            f"{name}:5:36: warning: channels[0].color: with this live value, `validate` will warn: use a dark colour\n"
            '  5 |   - {name: A, theme: light, color: "#111111", sync: {id: c-1}}\n'
            "    |                                    ^\n"
            f"  {hint}\n"
            f"Wrote {file}.\n"
        )
        assert api.invoke("plan", tmp_path).code == 1
        # What already breaks a rule doesn't keep the files from following a fix, and isn't said again.
        api.store.seed("acme", [{"name": "A", "id": "c-1", "theme": "light", "color": "#000000"}, second])
        done = api.invoke("adopt", tmp_path, "--auto-approve")
        assert (done.code, done.err) == (0, f"Wrote {file}.\n")
        api.store.seed("acme", [{"name": "A", "id": "c-1", "theme": "dark", "color": "#000000"}, second])
        done = api.invoke("adopt", tmp_path, "--auto-approve")
        assert (done.code, done.err, file.read_text(encoding="utf-8")) == (0, f"Wrote {file}.\n", text)
        assert api.invoke("plan", tmp_path).code == 0


def test_a_live_value_that_validate_warns_about_is_adopted_with_the_warning(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        'version: 1\norganization: acme\nchannels:\n  - {name: A, color: "#000000", sync: {id: c-1}}\n',
        encoding="utf-8",
    )
    with emulated({"name": "A", "id": "c-1", "color": "#eeeeee"}) as api:
        done = api.invoke("adopt", file, "--check")
        assert (done.code, file.read_text(encoding="utf-8").count("#eeeeee")) == (2, 0)
        said = "warning: channels[0].color: with this live value, `validate` will warn: white text on"
        assert done.err.startswith(f"{file.as_posix()}:4:22: {said}")
        assert done.err.endswith(" Choose a darker colour. Change it live, then run adopt again.\n")


def test_empty_lines_with_tabs_stay_and_fmt_empties_them(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    text = (
        "version: 1\norganization: acme\n\t\nchannels:\n  - name: A\n \t\n    theme: dark # x\n\t# below\n"
        "    sync: { id: c-1 }\n\t\n"
    )
    file.write_text(text, encoding="utf-8")
    with emulated({"name": "A", "id": "c-1", "theme": "light"}) as api:
        assert api.invoke("adopt", file, "--auto-approve").code == 0
        assert file.read_text(encoding="utf-8") == text.replace("dark", "light")
        assert api.invoke("fmt", file).code == 0
        assert file.read_text(encoding="utf-8") == (
            "version: 1\norganization: acme\n\nchannels:\n  - name: A\n\n    theme: light # x\n    # below\n"
            "    sync: { id: c-1 }\n"
        )


SEVERAL = "l1\nl2\n"


@pytest.mark.parametrize(
    ("text", "message", "adopted"),
    [
        ("    welcomeMessage: Hi", SEVERAL, "    welcomeMessage: |\n      l1\n      l2\n"),
        ("    welcomeMessage: Hi\n              \n", SEVERAL, '    welcomeMessage: "l1\\nl2\\n"\n              \n'),
        ("    welcomeMessage: Hi\n        # c\n", SEVERAL, '    welcomeMessage: "l1\\nl2\\n"\n        # c\n'),
    ],
)
def test_text_of_several_lines_fits_wherever_it_is_written(
    api: Emulated, tmp_path: Path, text: str, message: str, adopted: str
) -> None:
    head = "version: 1\norganization: acme\nchannels:\n  - name: Support\n    sync: {id: c-1}\n"
    for line_break in ("\n", "\r\n"):
        file = tmp_path / "channels.yaml"
        file.write_bytes(f"{head}    color: '#111111'\n{text}".replace("\n", line_break).encode())
        api.store.seed("acme", [{"name": "Support", "id": "c-1", "color": "#222222", "welcomeMessage": message}])
        done = api.invoke("adopt", file, "--auto-approve")
        assert done.code == 0, done.err
        expected = f"{head}    color: '#222222'\n{adopted}".replace("\n", line_break)
        assert file.read_bytes().decode() == expected
        assert api.invoke("plan", file, "--detailed-exitcode").code == 0


def test_a_block_of_text_at_the_end_of_a_file_without_a_line_break_stays_the_same(
    api: Emulated, tmp_path: Path
) -> None:
    file = tmp_path / "channels.yaml"
    head = "version: 1\norganization: acme\nchannels:\n  - name: Support\n    welcomeMessage: "
    file.write_text(f"{head}|\n      Hi", encoding="utf-8")
    api.store.seed("acme", [{"name": "Support", "id": "c-1", "welcomeMessage": "Hi"}])
    done = api.invoke("adopt", file, "--auto-approve")
    assert done.code == 0, done.err
    assert file.read_text(encoding="utf-8") == f"{head}Hi\n    sync: {{ id: c-1 }}\n"


def test_a_variable_that_a_tag_types_is_kept_and_formatted(api: Emulated, tmp_path: Path) -> None:
    file = tmp_path / "channels.yaml"
    text = """\
version: 1
organization: acme
channels:
  - name: Support
    botEnabled: !!bool ${WEBCHAT_BOT:-true}
    theme: dark
"""
    file.write_text(text, encoding="utf-8")
    api.store.seed("acme", [{"name": "Support", "id": "c-1", "botEnabled": True, "theme": "light"}])
    assert api.invoke("fmt", "--check", file).code == 0
    done = api.invoke("adopt", file, "--auto-approve")
    assert done.code == 0, done.err
    expected = text.replace("dark", "light") + "    sync: { id: c-1 }\n"
    assert file.read_text(encoding="utf-8") == expected
