from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifest_files import declared, said
from webchat_sync.model import Json
from webchat_sync.yaml12.interpolation import escape, interpolate

ENVIRON = {
    "WEBCHAT_NAME": "value",
    "WEBCHAT_EMPTY": "",
    "WEBCHAT_NESTED": "${WEBCHAT_NAME}",
    "WEBCHAT_YES": "true",
    "WEBCHAT_NUMBER": "0x10",
    "WEBCHAT_HASH": "#fff # x",
}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("${WEBCHAT_NAME}", "value"),
        ("<${WEBCHAT_NAME}-${WEBCHAT_NAME}>", "<value-value>"),
        ("'${WEBCHAT_NAME:-x}'", "value"),
        ("${WEBCHAT_UNSET:-a b:c}", "a b:c"),
        ("${WEBCHAT_EMPTY:-x}", "x"),
        ('"${WEBCHAT_EMPTY}"', ""),
        ("${WEBCHAT_UNSET:-}x", "x"),
        ("${WEBCHAT_NESTED}", "${WEBCHAT_NAME}"),
        ("$${WEBCHAT_NAME}", "${WEBCHAT_NAME}"),
        ("$$${WEBCHAT_NAME}", "$${WEBCHAT_NAME}"),
        ("$NAME $ $$ {NAME}", "$NAME $ $$ {NAME}"),
        ("'${WEBCHAT_YES}'", "true"),
        ('"${WEBCHAT_NUMBER}"', "0x10"),
        ("${WEBCHAT_HASH}", "#fff # x"),
        ("|\n      a ${WEBCHAT_NAME}\n", "a value\n"),
        ("!!str ${WEBCHAT_YES}", "true"),
    ],
)
def test_variables_are_put_into_texts(tmp_path: Path, written: str, value: Json) -> None:
    (channel,) = declared(tmp_path, f"channels:\n  - name: A\n    welcomeMessage: {written}\n", **ENVIRON)
    assert channel.fields["welcomeMessage"] == value


def test_the_result_of_a_plain_scalar_is_typed_as_yaml_types_it(tmp_path: Path) -> None:
    text = """\
channels:
  - name: A
    enabled: ${WEBCHAT_YES}
    botEnabled: ${WEBCHAT_UNSET:-false}
    bubbleOffsetX: ${WEBCHAT_NUMBER}
    offlineMessage: ${WEBCHAT_EMPTY}
    operatingHours: {"${WEBCHAT_YES}": "${WEBCHAT_YES}"}
"""
    (channel,) = declared(tmp_path, text, **ENVIRON)
    assert channel.fields == {
        "name": "A",
        "enabled": True,
        "botEnabled": False,
        "bubbleOffsetX": 16,
        "offlineMessage": None,
        "operatingHours": {"${WEBCHAT_YES}": "true"},
    }


def test_every_unset_name_and_every_slip_is_a_problem_at_its_place_and_nothing_else_is(tmp_path: Path) -> None:
    text = """\
x-anchors: [&a '${WEBCHAT_ONE}']
channels:
  - name: ${WEBCHAT_TWO}
    color: ${WEBCHAT_THREE} ${WEBCHAT_FOUR}
    enabled: *a
    welcomeMessage: '${1}'
    offlineMessage: "a ${ b"
    offlineMessageLunch: ${WEBCHAT_A:-${WEBCHAT_B}}
    theme: ${WEBCHAT_BAD}
"""
    unset = "the environment variable `{0}` isn't set | Set it, or give a default: `${{{0}:-default}}`."
    literal = "For a literal `${` write `$${`."
    slip = f"`${{` starts a variable, but isn't followed by `NAME}}` or `NAME:-default}}` | {literal}"
    assert said(tmp_path, text, WEBCHAT_BAD="\udcff") == [
        f"1:13 x-anchors[0]: {unset.format('WEBCHAT_ONE')} {literal}",
        f"3:11 channels[0].name: {unset.format('WEBCHAT_TWO')} {literal}",
        f"4:12 channels[0].color: {unset.format('WEBCHAT_FOUR')} {literal}",
        f"4:12 channels[0].color: {unset.format('WEBCHAT_THREE')} {literal}",
        f"6:21 channels[0].welcomeMessage: {slip}",
        f"7:21 channels[0].offlineMessage: {slip}",
        f"8:26 channels[0].offlineMessageLunch: {slip}",
        f"8:26 channels[0].offlineMessageLunch: {unset.format('WEBCHAT_B')} {literal}",
        "9:12 channels[0].theme: the environment variable `WEBCHAT_BAD` isn't valid UTF-8 | Set it again, in UTF-8.",
    ]


@settings(derandomize=True)
@given(st.text(alphabet="${}NAME:- x") | st.text())
def test_an_escaped_text_is_interpolated_to_itself(text: str) -> None:
    assert interpolate(escape(text), {"NAME": "no", "A": "no"}) == (text, [])
