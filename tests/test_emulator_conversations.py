from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from emulator_client import CONVERSATION, Emulated, data, emulated, message

ASSET = "6f1d6f0e-51c5-4a35-9c0b-0d6c8f0a7c11"


@pytest.fixture(scope="module")
def api() -> Iterator[Emulated]:
    with emulated() as running:
        yield running


@pytest.mark.parametrize(
    ("sent", "payload"),
    [
        ({"body": "Hello"}, {"body": "Hello"}),
        (
            {"type": "text", "body": "x" * 4096, "replyToMessageId": ASSET},
            {"body": "x" * 4096, "replyToMessageId": ASSET},
        ),
        ({"type": "image", "mediaAssetId": ASSET}, {"id": ASSET}),
        ({"type": "document", "mediaAssetId": ASSET, "body": "a caption"}, {"id": ASSET, "caption": "a caption"}),
    ],
)
def test_a_message_is_answered_as_it_is_stored(api: Emulated, sent: dict[str, Any], payload: dict[str, Any]) -> None:
    answer = data(api.http.post(f"{CONVERSATION}/send", json=sent), 201)
    assert UUID(answer["id"])
    assert answer.keys() == {
        *("id", "conversationId", "phoneNumberId", "direction", "type", "status", "payload", "createdAt", "updatedAt")
    }
    assert (answer["conversationId"], answer["direction"], answer["status"]) == ("c-1", "OUT", "sent")
    assert (answer["type"], answer["payload"]) == (sent.get("type", "text"), payload)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, ["body should not be empty"]),
        ({"body": ""}, ["body must be longer than or equal to 1 characters"]),
        ({"body": "x" * 4097}, ["body must be shorter than or equal to 4096 characters"]),
        ({"type": "image", "body": "no media"}, ["mediaAssetId should not be empty"]),
        ({"type": "image", "mediaAssetId": "7"}, ["mediaAssetId must be a uuid"]),
        ({"body": "x", "replyToMessageId": "7"}, ["replyToMessageId must be a uuid"]),
        (
            {"type": "gif", "mediaAssetId": ASSET},
            ["type must be one of the following values: text, image, video, audio, document"],
        ),
        ({"body": "x", "to": "me"}, ["property to should not exist"]),
    ],
)
def test_a_message_that_the_api_would_refuse_is_refused(api: Emulated, sent: object, expected: list[str]) -> None:
    assert message(api.http.post(f"{CONVERSATION}/send", json=sent), 400) == expected


def test_media_is_uploaded_as_the_file_of_a_form(api: Emulated) -> None:
    url = f"{CONVERSATION}/media"
    answer = data(api.http.post(url, files={"file": ("a.pdf", b"%PDF", "application/pdf")}), 201)
    assert answer == {
        "mediaAssetId": answer["mediaAssetId"],
        "mediaId": answer["mediaAssetId"],
        "url": f"https://media.example.com/{answer['mediaAssetId']}",
        "mimeType": "application/pdf",
    }
    assert message(api.http.post(url, files={"media": b"%PDF"}), 400) == "file should not be empty"
