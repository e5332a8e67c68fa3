from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import cast

import pytest

from webchat_sync.api.types import HostIdentity, IdentitySecret, Message, MessageType, Upload
from webchat_sync.errors import InputError
from webchat_sync.model import Secret

UUID = "6f1c1e3e-8f0a-4b57-9d4e-0c2b7f3a9d11"
MEGABYTE = 1024 * 1024
PNG, JPG, WEBP = b"\x89PNG\r\n\x1a\n...", b"\xff\xd8\xff\xe0...", b"RIFF\x0a\n\0\0WEBPVP8 "


def problems_of(make: Callable[[], object]) -> list[str]:
    with pytest.raises(InputError) as raised:
        make()
    return [problem.message for problem in raised.value.problems]


def test_a_message_names_everything_that_is_wrong_with_it() -> None:
    found = problems_of(lambda: Message("image", body="x" * 4097, reply_to_message_id="no-uuid"))
    assert found == [
        "a message of type image needs a media asset id",
        "a message's body can have at most 4,096 characters; this one has 4,097",
        'the id of the message to reply to must be a UUID, not "no-uuid"',
    ]
    assert problems_of(lambda: Message(body="\udcff")) == ["a message's body must be valid Unicode"]
    assert problems_of(lambda: Message(body="")) == ["a text message needs a body"]
    assert problems_of(lambda: Message(cast("MessageType", "sticker"), media_asset_id=UUID)) == [
        'a message\'s type must be one of text, image, video, audio, document, not "sticker"'
    ]


def test_a_message_at_its_limits_is_accepted() -> None:
    assert Message(body="x" * 4096).as_json() == {"type": "text", "body": "x" * 4096}
    assert Message("audio", media_asset_id=UUID.upper()).as_json() == {"type": "audio", "mediaAssetId": UUID.upper()}


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (
            lambda: Upload("a/b", b"", "image"),
            [
                'an upload needs a file name without folders, not "a/b"',
                'the file "a/b" is empty',
                '"image" isn\'t a media type such as image/png',
            ],
        ),
        (lambda: Upload("\udcff", b"x"), ['an upload needs a file name that\'s valid Unicode, not "\\udcff"']),
        (lambda: Upload("", b"x"), ['an upload needs a file name without folders, not ""']),
        (lambda: Upload("x", b"x", "a/b\r\nX: y"), ['"a/b\\r\\nX: y" isn\'t a media type such as image/png']),
    ],
)
def test_an_upload_names_everything_that_is_wrong_with_it(make: Callable[[], Upload], found: list[str]) -> None:
    assert problems_of(make) == found


@pytest.mark.parametrize(("content", "mime_type"), [(PNG, "image/png"), (JPG, "image/jpeg"), (WEBP, "image/webp")])
def test_an_avatar_is_what_its_first_bytes_show(content: bytes, mime_type: str) -> None:
    assert Upload("logo.txt", content, "text/plain").as_avatar() == Upload("logo.txt", content, mime_type)


def test_an_avatar_is_refused_for_its_kind_and_its_size() -> None:
    assert Upload("logo.png", PNG.ljust(8 * MEGABYTE)).as_avatar().mime_type == "image/png"
    assert problems_of(Upload("logo.png", PNG.ljust(8 * MEGABYTE + 1)).as_avatar) == [
        'the avatar "logo.png" is too large: 8,388,609 bytes; the limit is 8 MB (8,388,608 bytes)'
    ]
    assert problems_of(Upload("logo.png", b"GIF89a".ljust(9 * MEGABYTE)).as_avatar) == [
        'the avatar "logo.png" isn\'t a PNG, JPG or WebP image',
        'the avatar "logo.png" is too large: 9,437,184 bytes; the limit is 8 MB (8,388,608 bytes)',
    ]


@pytest.mark.parametrize(
    ("user_id", "email", "vouched", "sent"),
    [
        ("ü7", None, "ü7", {"userId": "ü7"}),
        ("", "ana@example.com", "ana@example.com", {"email": "ana@example.com"}),
        ("u7", "ana@example.com", "u7", {"userId": "u7", "email": "ana@example.com"}),
    ],
)
def test_an_identity_is_vouched_for_by_its_user_id_or_else_its_address(
    user_id: str | None, email: str | None, vouched: str, sent: dict[str, str]
) -> None:
    proof = hmac.new(b"s3cret", vouched.encode(), hashlib.sha256).hexdigest()
    identity = HostIdentity(user_id, email, Secret("s3cret"))
    assert identity.as_json() == {"mode": "host-identified", "hash": proof, **sent}


def test_an_identity_names_everything_that_it_lacks() -> None:
    assert problems_of(lambda: HostIdentity(None, "", Secret(""))) == [
        "an identified visitor needs a user id or an e-mail address",
        "an identified visitor needs the channel's identity secret",
    ]


def test_values_with_secrets_or_contents_do_not_print_them() -> None:
    printed = repr(
        [IdentitySecret(Secret("s3cret"), None), HostIdentity("u", None, Secret("s3cret")), Upload("f", PNG)]
    )
    assert "s3cret" not in printed
    assert "PNG" not in printed
