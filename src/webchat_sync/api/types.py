"""The arguments and results of calls, except for channels. They're validated when they're created."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field, replace
from datetime import datetime
from typing import Final, Literal, TypeAlias, get_args

from webchat_sync.api.sanitize import UUID
from webchat_sync.errors import Diagnostic, InputError
from webchat_sync.frozen import frozen
from webchat_sync.jsonvalue import is_unicode, show
from webchat_sync.lazy_pattern import lazy_pattern
from webchat_sync.model import Json, Secret, WriteResult

MessageType: TypeAlias = Literal["text", "image", "video", "audio", "document"]

MAX_MESSAGE_LENGTH: Final = 4096
MAX_AVATAR_BYTES: Final = 8 * 1024 * 1024
AVATAR_SIGNATURES: Final = {
    "image/png": lazy_pattern(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": lazy_pattern(rb"\xff\xd8\xff"),
    "image/webp": lazy_pattern(rb"RIFF.{4}WEBP", re.DOTALL),
}
_MEDIA: Final = "Use --media ID, with an id that `webchat-sync media upload` printed."
MEDIA_TYPE: Final = lazy_pattern(r"[\w.+-]+/[\w.+-]+", re.ASCII)


@frozen
class IdentitySecret:
    """A new identity secret, only shown once.

    ``rotated_at`` is aware, or None if the response has no time; ``result`` is the result of the call.
    """

    secret: Secret
    rotated_at: datetime | None
    result: WriteResult = field(default=WriteResult(201), compare=False)


@frozen
class Media:
    """An uploaded file. ``asset_id`` is for :class:`Message`; values that the response lacks are None."""

    asset_id: str
    url: str | None = None
    mime_type: str | None = None


@frozen
class Message:
    """A message for a conversation: a text, or media with ``body`` as its caption.

    The limits are those of the vendor's API reference. Raises InputError with every violation.
    """

    type: MessageType = "text"
    body: str | None = None
    media_asset_id: str | None = None
    reply_to_message_id: str | None = None

    def __post_init__(self) -> None:
        problems: dict[str, str] = {}
        if self.type not in get_args(MessageType):
            types = ", ".join(get_args(MessageType))
            problems[f"a message's type must be one of {types}, not {show(self.type)}"] = ""
        if self.type == "text" and not self.body:
            problems["a text message needs a body"] = "Use --body TEXT."
        if self.type != "text" and not self.media_asset_id:
            problems[f"a message of type {self.type} needs a media asset id"] = _MEDIA
        if self.body and len(self.body) > MAX_MESSAGE_LENGTH:
            limit = f"a message's body can have at most {MAX_MESSAGE_LENGTH:,} characters"
            problems[f"{limit}; this one has {len(self.body):,}"] = "Shorten it, or send several messages."
        if self.body and not is_unicode(self.body):
            problems["a message's body must be valid Unicode"] = (
                "Check the encoding of the text, which should be UTF-8."
            )
        if self.media_asset_id and not UUID.fullmatch(self.media_asset_id):
            problems[f"the media asset id must be a UUID, not {show(self.media_asset_id)}"] = _MEDIA
        if self.reply_to_message_id and not UUID.fullmatch(self.reply_to_message_id):
            reply_to = show(self.reply_to_message_id)
            problems[f"the id of the message to reply to must be a UUID, not {reply_to}"] = ""
        _refuse(problems)

    def as_json(self) -> dict[str, Json]:
        """The body of the request, without values that aren't set."""
        values: dict[str, Json] = {
            "type": self.type,
            "body": self.body,
            "mediaAssetId": self.media_asset_id,
            "replyToMessageId": self.reply_to_message_id,
        }
        return {name: value for name, value in values.items() if value is not None}


@frozen
class Upload:
    """A file to send. ``mime_type`` None: derived from the extension of ``file_name``.

    Raises InputError with everything that's wrong with it.
    """

    file_name: str
    content: bytes = field(repr=False)
    mime_type: str | None = None

    def __post_init__(self) -> None:
        problems: list[str] = []
        if not self.file_name or set(self.file_name) & {"/", "\\"}:
            problems.append(f"an upload needs a file name without folders, not {show(self.file_name)}")
        if not is_unicode(self.file_name):
            problems.append(f"an upload needs a file name that's valid Unicode, not {show(self.file_name)}")
        if not self.content:
            problems.append(f"the file {show(self.file_name)} is empty")
        if self.mime_type is not None and not MEDIA_TYPE.fullmatch(self.mime_type):
            problems.append(f"{show(self.mime_type)} isn't a media type such as image/png")
        _refuse(dict.fromkeys(problems, ""))

    def as_avatar(self) -> Upload:
        """This file with the media type that its first bytes show.

        Raises InputError unless it's a PNG, JPG or WebP of at most 8 MB, as in the vendor's OpenAPI document. The
        file's name isn't relied on.
        """
        mime_types = [mime_type for mime_type, signature in AVATAR_SIGNATURES.items() if signature.match(self.content)]
        problems: list[str] = []
        if not mime_types:
            problems.append(f"the avatar {show(self.file_name)} isn't a PNG, JPG or WebP image")
        if len(self.content) > MAX_AVATAR_BYTES:
            problems.append(
                f"the avatar {show(self.file_name)} is too large: {len(self.content):,} bytes; the limit is 8 MB "
                f"({MAX_AVATAR_BYTES:,} bytes)"
            )
        _refuse(dict.fromkeys(problems, ""))
        return replace(self, mime_type=mime_types[0])


@frozen
class HostIdentity:
    """The identity of a visitor, vouched for by the embedding site with the channel's identity secret.

    Raises InputError without a user id or an e-mail address, and without a secret.
    """

    user_id: str | None
    email: str | None
    secret: Secret

    def __post_init__(self) -> None:
        problems: list[str] = []
        if not (self.user_id or self.email):
            problems.append("an identified visitor needs a user id or an e-mail address")
        if not self.secret:
            problems.append("an identified visitor needs the channel's identity secret")
        _refuse(dict.fromkeys(problems, ""))

    def as_json(self) -> dict[str, Json]:
        """The part of a session's body that proves the identity.

        ``hash`` is the hexadecimal HMAC-SHA256 of the user id, or else of the e-mail address, as in the vendor's
        OpenAPI document.
        """
        import hmac

        vouched = self.user_id or self.email or ""
        values: dict[str, Json] = {
            "mode": "host-identified",
            "userId": self.user_id,
            "email": self.email,
            "hash": hmac.digest(_bytes(self.secret.reveal()), _bytes(vouched), "sha256").hex(),
        }
        return {name: value for name, value in values.items() if value}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _refuse(problems: Mapping[str, str]) -> None:
    """Raise InputError if there are problems: messages, each with its hint or an empty text."""
    if problems:
        raise InputError([Diagnostic(message, hint=hint) for message, hint in problems.items()])
