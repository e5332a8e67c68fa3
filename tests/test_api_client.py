from __future__ import annotations

import email
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from fake_time import FakeTime
from scripted_server import Behaviour, ScriptedServer, answer, data, failure
from webchat_sync.api import HostIdentity, IdentitySecret, Media, Message, Mosend, Upload
from webchat_sync.environment import Environment
from webchat_sync.errors import ApiAnswerError, ApiStatusError, InputError
from webchat_sync.model import Json, LiveChannel, Secret, WriteResult

pytestmark = pytest.mark.anyio

KEY = "mk_test_abc.0123456789abcdef"
UUID = "6f1c1e3e-8f0a-4b57-9d4e-0c2b7f3a9d11"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 8
CHANNEL: dict[str, Json] = {"id": "c1", "name": "Support", "enabled": True, "bubbleOffsetX": 12.5}
LIVE = LiveChannel("c1", "Support", CHANNEL)
ORGANIZATION_PATH = "/gateway/organizations/org%2F1"
CHANNELS_PATH = f"{ORGANIZATION_PATH}/web-chat/channels"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def mosend(server: ScriptedServer, *, key: str = KEY, base_path: str = "/gateway/") -> Mosend:
    """A client whose base URL has a path, which goes to the server without any proxy, and sleeps in no time."""
    time = FakeTime()
    return Mosend(
        organization="org/1",
        base_url=server.url + base_path,
        key=Secret(key),
        environment=Environment(
            transport=httpx.AsyncHTTPTransport(verify=False), sleep=time.sleep, now=time.now, clock=time.clock
        ),
    )


@dataclass(frozen=True)
class Case:
    call: Callable[[Mosend], Awaitable[object]]
    answer: Behaviour
    result: object
    method: str
    target: str
    body: Json = None


IDENTITY = HostIdentity(user_id="user-7", email="ana@example.com", secret=Secret("identity-secret"))
HASH = hmac.new(b"identity-secret", b"user-7", hashlib.sha256).hexdigest()
CASES = {
    "list": Case(lambda api: api.list_channels(), data([CHANNEL]), (LIVE,), "GET", CHANNELS_PATH),
    "create": Case(
        lambda api: api.create_channel({"name": "Süd", "enabled": False}, idempotency_key="once-1"),
        data(CHANNEL, 201, {"X-Request-Id": "r-1"}),
        WriteResult(201, "r-1", 1, LIVE),
        "POST",
        CHANNELS_PATH,
        {"name": "Süd", "enabled": False},
    ),
    "update": Case(
        lambda api: api.update_channel("c1", {"offlineMessage": None}),
        data(CHANNEL, headers={"X-Request-Id": "r-2"}),
        WriteResult(200, "r-2", 1, LIVE),
        "PATCH",
        f"{CHANNELS_PATH}/c1",
        {"offlineMessage": None},
    ),
    "delete": Case(
        lambda api: api.delete_channel("a/../b?"),
        data(None, headers={"X-Request-Id": "r-3"}),
        WriteResult(200, "r-3"),
        "DELETE",
        f"{CHANNELS_PATH}/a%2F..%2Fb%3F",
    ),
    "delete, 204": Case(
        lambda api: api.delete_channel("c1"), answer(204), WriteResult(204), "DELETE", f"{CHANNELS_PATH}/c1"
    ),
    "snippet": Case(
        lambda api: api.get_snippet("c1"), data({"html": "<script>"}), "<script>", "GET", f"{CHANNELS_PATH}/c1/snippet"
    ),
    "rotate": Case(
        lambda api: api.rotate_identity_secret("c1"),
        data({"secret": "new", "rotatedAt": "2026-07-02T00:00:00Z"}, 201),
        IdentitySecret(Secret("new"), datetime(2026, 7, 2, tzinfo=UTC)),
        "POST",
        f"{CHANNELS_PATH}/c1/identity-secret",
    ),
    "rotate, no time": Case(
        lambda api: api.rotate_identity_secret("c1"),
        data({"secret": "new"}, 201),
        IdentitySecret(Secret("new"), datetime(2026, 7, 1, tzinfo=UTC)),
        "POST",
        f"{CHANNELS_PATH}/c1/identity-secret",
    ),
    "revoke": Case(
        lambda api: api.revoke_identity_secret("c1"),
        data({}),
        WriteResult(200),
        "DELETE",
        f"{CHANNELS_PATH}/c1/identity-secret",
    ),
    "send text": Case(
        lambda api: api.send_message("k1", Message(body="Hola")),
        data({"id": "m1"}, 201),
        {"id": "m1"},
        "POST",
        f"{ORGANIZATION_PATH}/conversations/k1/web-chat/send",
        {"type": "text", "body": "Hola"},
    ),
    "send image": Case(
        lambda api: api.send_message("k1", Message("image", media_asset_id=UUID, reply_to_message_id=UUID)),
        data({"id": "m1"}, 201),
        {"id": "m1"},
        "POST",
        f"{ORGANIZATION_PATH}/conversations/k1/web-chat/send",
        {"type": "image", "mediaAssetId": UUID, "replyToMessageId": UUID},
    ),
    "remove avatar": Case(
        lambda api: api.remove_avatar("c1"), data(None), None, "DELETE", f"{CHANNELS_PATH}/c1/avatar"
    ),
    "session": Case(
        lambda api: api.open_session("t/1", visitor_id="v1", identity=None),
        data({"sessionId": "s1"}, 201),
        {"sessionId": "s1"},
        "POST",
        "/gateway/web-chat/t%2F1/sessions",
        {"visitorId": "v1", "mode": "anonymous"},
    ),
    "identified session": Case(
        lambda api: api.open_session("t1", visitor_id="v1", identity=IDENTITY),
        data({"sessionId": "s1"}, 201),
        {"sessionId": "s1"},
        "POST",
        "/gateway/web-chat/t1/sessions",
        {
            "visitorId": "v1",
            "mode": "host-identified",
            "userId": "user-7",
            "email": "ana@example.com",
            "hash": HASH,
        },
    ),
}


@pytest.mark.parametrize(
    ("reply", "verified"),
    [
        (data({"sessionToken": "s", "identityVerified": True}, 201), True),
        (data({"sessionToken": "s", "identityVerified": False}, 201), False),
        (data({"sessionToken": "s"}, 201), None),
        (answer(201, '{"sessionToken": "s", "identityVerified": false}'), False),
        (failure(401, "wrong"), False),
    ],
)
async def test_a_signature_is_tried_from_a_page_of_the_channels_site(reply: Behaviour, verified: bool | None) -> None:
    with ScriptedServer(reply) as server:
        async with mosend(server) as api:
            domains: Json = ["*.example.com", "Shop.example.com"]
            assert await api.verifies_signature("t1", Secret("s3cret"), visitor_id="v1", domains=domains) is verified
    [request] = server.requests
    assert request.headers["origin"] == "https://shop.example.com"
    assert "x-api-key" not in request.headers


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
async def test_a_status_other_than_401_tells_nothing_of_the_signature(status: int) -> None:
    with ScriptedServer(failure(status, "no")) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiStatusError) as raised:
                await api.verifies_signature("t1", Secret("s3cret"), visitor_id="v1", domains=["*"])
    assert raised.value.status == status
    assert "origin" not in server.requests[0].headers


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_each_call_sends_what_the_api_documents_and_reads_its_answer(case: Case) -> None:
    with ScriptedServer(case.answer) as server:
        async with mosend(server) as api:
            assert await case.call(api) == case.result
    [request] = server.requests
    assert (request.method, request.target) == (case.method, case.target)
    assert (request.json() if request.body else None) == case.body
    assert request.headers.get("content-type") == ("application/json" if case.body else None)
    assert request.headers["accept"] == "application/json"
    assert request.headers["user-agent"].startswith("webchat-sync/")
    public = "/sessions" in case.target
    assert request.headers.get("x-api-key") == (None if public else KEY)
    assert "authorization" not in request.headers
    assert request.headers.get("idempotency-key") == ("once-1" if case.target == CHANNELS_PATH and case.body else None)


BARE: dict[str, tuple[str, Json, object]] = {
    "list": ("list", [CHANNEL], (LIVE,)),
    "an empty list": ("list", [], ()),
    "create": ("create", CHANNEL, WriteResult(200, None, 1, LIVE)),
    "update": ("update", CHANNEL, WriteResult(200, None, 1, LIVE)),
    "delete": ("delete", {"success": True}, WriteResult(200)),
    "snippet": ("snippet", {"html": "<script>"}, "<script>"),
    "rotate": ("rotate", {"secret": "new", "rotatedAt": "now"}, IdentitySecret(Secret("new"), None)),
    "message": ("send text", {"id": "m1", "error": "no"}, {"id": "m1", "error": "no"}),
    "session": ("session", {"sessionToken": "s1"}, {"sessionToken": "s1"}),
}


@pytest.mark.parametrize(("name", "body", "result"), BARE.values(), ids=BARE.keys())
async def test_an_answer_without_the_envelope_is_read(name: str, body: Json, result: object) -> None:
    with ScriptedServer(answer(200, json.dumps(body))) as server:
        async with mosend(server) as api:
            assert await CASES[name].call(api) == result


@pytest.mark.parametrize("name", ["create", "update", "delete", "rotate", "send text"])
@pytest.mark.parametrize(
    "failed", [{"statusCode": 500}, {"error": "Internal Server Error"}, {"errors": ["x"]}, {"success": False}]
)
@pytest.mark.parametrize("beside", [{}, {"data": CHANNEL}], ids=["bare", "enveloped"])
async def test_a_write_that_is_said_to_have_failed_is_not_done(
    name: str, failed: dict[str, Json], beside: dict[str, Json]
) -> None:
    with ScriptedServer(otherwise=answer(200, json.dumps({**failed, **beside}))) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiAnswerError, match=r"the response contains") as raised:
                await CASES[name].call(api)
    assert raised.value.in_doubt


async def test_a_message_carries_an_idempotency_key() -> None:
    with ScriptedServer(data({"id": "m1"}, 201)) as server:
        async with mosend(server) as api:
            await api.send_message("k1", Message(body="Hola"), idempotency_key="once-2")
    assert server.requests[0].headers["idempotency-key"] == "once-2"


@dataclass(frozen=True)
class UploadCase:
    call: Callable[[Mosend], Awaitable[object]]
    answered: Json
    result: object
    target: str
    part: tuple[str, str, bytes]


MEDIA_PATH = f"{ORGANIZATION_PATH}/conversations/k1/web-chat/media"
UPLOADS = {
    "media": UploadCase(
        lambda api: api.upload_media("k1", Upload("menu.pdf", b"%PDF")),
        {"mediaAssetId": UUID, "url": "https://cdn.example/1", "mimeType": "application/pdf"},
        Media(UUID, "https://cdn.example/1", "application/pdf"),
        MEDIA_PATH,
        ("menu.pdf", "application/pdf", b"%PDF"),
    ),
    "media by the name of the SDK": UploadCase(
        lambda api: api.upload_media("k1", Upload("no ending", b"x")),
        {"mediaId": UUID, "url": "https://cdn.example/1"},
        Media(UUID, "https://cdn.example/1", None),
        MEDIA_PATH,
        ("no ending", "application/octet-stream", b"x"),
    ),
    "media without an address": UploadCase(
        lambda api: api.upload_media("k1", Upload("menu.pdf", b"%PDF")),
        {"mediaAssetId": None, "mediaId": UUID},
        Media(UUID),
        MEDIA_PATH,
        ("menu.pdf", "application/pdf", b"%PDF"),
    ),
    "avatar": UploadCase(
        lambda api: api.set_avatar("c1", Upload("logo.gif", PNG)),
        {"avatarUrl": "https://cdn.example/2"},
        {"avatarUrl": "https://cdn.example/2"},
        f"{CHANNELS_PATH}/c1/avatar",
        ("logo.gif", "image/png", PNG),
    ),
}


@pytest.mark.parametrize("case", UPLOADS.values(), ids=UPLOADS.keys())
async def test_an_upload_is_one_multipart_field_named_file(case: UploadCase) -> None:
    with ScriptedServer(data(case.answered, 201)) as server:
        async with mosend(server) as api:
            assert await case.call(api) == case.result
    [request] = server.requests
    assert (request.method, request.target, request.headers["x-api-key"]) == ("POST", case.target, KEY)
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    [part] = [each for each in email.message_from_bytes(head + request.body).walk() if not each.is_multipart()]
    assert part.get_param("name", header="content-disposition") == "file"
    assert (part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) == case.part


@pytest.mark.parametrize(
    ("key", "header", "value"),
    [
        ("mk_live_abc.def", "x-api-key", "mk_live_abc.def"),
        ("mk_test_abc.def", "x-api-key", "mk_test_abc.def"),
        ("eyJ.a.b", "authorization", "Bearer eyJ.a.b"),
    ],
)
async def test_the_key_goes_in_the_header_of_its_kind(key: str, header: str, value: str) -> None:
    with ScriptedServer(data([])) as server:
        async with mosend(server, key=key, base_path="") as api:
            assert await api.list_channels() == ()
    [request] = server.requests
    assert request.target == "/organizations/org%2F1/web-chat/channels"
    sent = {name: request.headers.get(name) for name in ("x-api-key", "authorization")}
    assert sent == {"x-api-key": None, "authorization": None, header: value}


WRONG_DATA: dict[str, tuple[str, Json, str]] = {
    "an object for the list": ("list", CHANNEL, "isn't a list"),
    "null for the list": ("list", None, "isn't a list"),
    "a text among channels": ("list", [CHANNEL, "c2"], "data[1]` isn't a channel"),
    "no id": ("list", [{"name": "Support"}], "without an id"),
    "an empty id": ("list", [{"id": "", "name": "Support"}], "without an id"),
    "an id that a URL can't contain": ("list", [{"id": "c\ud800", "name": "Support"}], "isn't valid Unicode"),
    "no name": ("list", [{"id": "c1"}], "without a name"),
    "one id twice": ("list", [CHANNEL, CHANNEL], "more than once: c1"),
    "a list for the new channel": ("create", [CHANNEL], "isn't a channel"),
    "a number for the id": ("create", {"id": 1, "name": "Support"}, "without an id"),
    "another channel": ("update", {"id": "c2", "name": "Support"}, "a different channel, c2"),
    "no html": ("snippet", {"text": "x"}, "no `html`"),
    "no secret": ("rotate", {"rotatedAt": "2026-07-02"}, "no `secret`"),
    "an empty secret": ("rotate", {"secret": ""}, "no `secret`"),
    "a text for the message": ("send text", "m1", "isn't an object"),
    "null for the session": ("session", None, "isn't an object"),
}


@pytest.mark.parametrize(("name", "answered", "reason"), WRONG_DATA.values(), ids=WRONG_DATA.keys())
async def test_data_of_another_shape_is_not_trusted(name: str, answered: Json, reason: str) -> None:
    case = CASES[name]
    with ScriptedServer(otherwise=data(answered, headers={"X-Request-Id": "r-1"})) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiAnswerError, match=f"HTTP 200, but .*{reason.replace('[', '.')}") as raised:
                await case.call(api)
    assert raised.value.in_doubt == (case.method != "GET")
    assert (raised.value.status, raised.value.request_id) == (200, "r-1")
    assert len(server.requests) == raised.value.attempts == (5 if case.method == "PATCH" else 1)


@pytest.mark.parametrize("answered", [{"url": "u"}, {"mediaId": ""}, {"mediaAssetId": None, "url": "u"}])
async def test_an_upload_without_an_id_is_not_trusted(answered: Json) -> None:
    with ScriptedServer(data(answered, 201)) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiAnswerError, match="`data` has no"):
                await api.upload_media("k1", Upload("menu.pdf", b"%PDF"))


NOT_WHOLE: dict[str, tuple[dict[str, Json], dict[str, str], int]] = {
    "Link": ({}, {"Link": '</x?page=1>; rel="first", </x?page=2>; rel="next"'}, 200),
    "X-Total-Count": ({}, {"X-Total-Count": "2"}, 200),
    "206": ({}, {}, 206),
    "hasMore": ({"hasMore": True}, {}, 200),
    "meta.has_more": ({"meta": {"has_more": True}}, {}, 200),
    "pagination.hasNextPage": ({"pagination": {"hasNextPage": True}}, {}, 200),
    "nextCursor": ({"nextCursor": "abc"}, {}, 200),
    "meta.next_page": ({"meta": {"next_page": 2}}, {}, 200),
    "links.next": ({"links": {"next": "/x?page=2"}}, {}, 200),
    "total": ({"total": 2}, {}, 200),
    "meta.totalCount": ({"meta": {"totalCount": "57"}}, {}, 200),
    "count": ({"count": 3}, {}, 200),
    "page_info": ({"page_info": {"has_next_page": True, "end_cursor": "x"}}, {}, 200),
    "page_info, the cursor alone": ({"page_info": {"end_cursor": "x"}}, {}, 200),
    "totalPages": ({"totalPages": 2}, {}, 200),
    "meta.pageCount": ({"meta": {"pageCount": "4"}}, {}, 200),
    "a bare endCursor": ({"endCursor": "abc"}, {}, 200),
    "a bare cursor": ({"cursor": "abc"}, {}, 200),
    "next_page_url": ({"next_page_url": "/x?page=2"}, {}, 200),
    "@odata.nextLink": ({"@odata.nextLink": "/x?page=2"}, {}, 200),
    "isTruncated": ({"isTruncated": True}, {}, 200),
    "truncated": ({"meta": {"truncated": "true"}}, {}, 200),
    "pageInfo, no cursor": ({"pageInfo": {"hasNextPage": True}}, {}, 200),
    "pageInfo, a null cursor": ({"pageInfo": {"hasNextPage": True, "endCursor": None}}, {}, 200),
    "pageInfo, a number": ({"pageInfo": {"hasNextPage": True, "endCursor": 7}}, {}, 200),
    "pageInfo ends, total does not": ({"pageInfo": {"hasNextPage": False, "endCursor": "c1"}, "total": 2}, {}, 200),
    "X-Next-Page": ({}, {"X-Next-Page": "2"}, 200),
    "X-Has-More": ({}, {"X-Has-More": "true"}, 200),
    "X-Total-Pages": ({}, {"X-Total-Pages": "2"}, 200),
    "Content-Range": ({}, {"Content-Range": "items 0-0/2"}, 200),
    "HAL": ({"_links": {"next": {"href": "/x?page=2"}}}, {}, 200),
    "links as a list": ({"links": [{"rel": "self", "href": "/x"}, {"rel": "next", "href": "/x?page=2"}]}, {}, 200),
    "Fractal": ({"meta": {"pagination": {"total": 2, "count": 1}}}, {}, 200),
    "Slack": ({"response_metadata": {"next_cursor": "abc"}}, {}, 200),
    "Cloudflare": ({"result_info": {"total_pages": 2}}, {}, 200),
    "Spring": ({"page": {"totalElements": 2}}, {}, 200),
    "Spring, the flag": ({"last": False}, {}, 200),
    "Atlassian": ({"isLast": False}, {}, 200),
    "Salesforce": ({"done": False, "nextRecordsUrl": ""}, {}, 200),
    "Salesforce, the address": ({"nextRecordsUrl": "/x"}, {}, 200),
    "DynamoDB": ({"LastEvaluatedKey": {"id": {"S": "a"}}}, {}, 200),
    "Kubernetes": ({"metadata": {"remainingItemCount": 1}}, {}, 200),
    "S3": ({"NextMarker": "a"}, {}, 200),
    "OData 2": ({"data": {"data": [CHANNEL], "__next": "/x"}}, {}, 200),
    "OData 3": ({"odata.nextLink": "/x"}, {}, 200),
    "OData 4.01": ({"@nextLink": "/x"}, {}, 200),
    "OData's count": ({"@odata.count": 2}, {}, 200),
    "ArcGIS": ({"exceededTransferLimit": True}, {}, 200),
    "Elasticsearch": ({"_scroll_id": "abc"}, {}, 200),
    "CouchDB": ({"bookmark": "abc"}, {}, 200),
    "moreResultsAvailable": ({"moreResultsAvailable": True}, {}, 200),
    "paginationToken": ({"paginationToken": "abc"}, {}, 200),
    "next-page-uri": ({"next-page-uri": "/x"}, {}, 200),
    "nextOffset": ({"nextOffset": 1}, {}, 200),
    "totalHits": ({"totalHits": 2}, {}, 200),
    "numFound": ({"numFound": 2}, {}, 200),
    "X-Pagination": ({}, {"X-Pagination": '{"TotalCount": 2}'}, 200),
    "X-Pagination-Total-Pages": ({}, {"X-Pagination-Total-Pages": "2"}, 200),
    "X-WP-TotalPages": ({}, {"X-WP-TotalPages": "2", "X-WP-Total": "1"}, 200),
    "X-Mosend-Total-Count": ({}, {"X-Mosend-Total-Count": "2"}, 200),
    "Total-Count": ({}, {"Total-Count": "2"}, 200),
    "x-ms-continuation": ({}, {"x-ms-continuation": "abc"}, 200),
    "Next-Range": ({}, {"Next-Range": "]id a..; max=1"}, 200),
    "Pagination-Count": ({}, {"Pagination-Count": "2"}, 200),
}


PERHAPS_NOT_WHOLE: dict[str, Json] = {
    "the cursor alone": {"endCursor": "abc"},
    "a text": {"hasNextPage": "true", "endCursor": "abc"},
    "no object": "more",
}


@pytest.mark.parametrize("info", PERHAPS_NOT_WHOLE.values(), ids=PERHAPS_NOT_WHOLE.keys())
async def test_a_list_that_does_not_say_whether_it_goes_on_is_not_trusted(info: Json) -> None:
    with ScriptedServer(answer(200, json.dumps({"data": [CHANNEL], "pageInfo": info}))) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiAnswerError, match="list of 1 channel may be incomplete: `pageInfo`"):
                await api.list_channels()
    assert len(server.requests) == 1


@pytest.mark.parametrize(("more", "headers", "status"), NOT_WHOLE.values(), ids=NOT_WHOLE.keys())
async def test_a_list_that_may_go_on_is_not_trusted(more: dict[str, Any], headers: dict[str, str], status: int) -> None:
    body = httpx.Response(status, json={"data": [CHANNEL], **more}).text
    with ScriptedServer(answer(status, body, headers)) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiAnswerError, match="list of 1 channel is incomplete"):
                await api.list_channels()
    assert len(server.requests) == 1


async def test_a_list_that_says_it_ends_here_is_whole() -> None:
    more: dict[str, Any] = {
        "hasMore": False,
        "nextCursor": None,
        "meta": {"total": 1, "nextPage": "", "page": 1, "totalCount": "n/a", "totalPages": 1},
        "pageInfo": {"hasNextPage": False, "endCursor": "c1"},
        "count": 1,
        "page_info": {"has_next_page": False, "end_cursor": "c1"},
        "_links": {"self": {"href": "/x"}, "next": None, "last": {"href": "/x"}},
        "result_info": {"cursors": {"after": "", "next": {"href": None}}, "links": [{"rel": "self", "href": "/x"}]},
        "last": True,
        "isLast": True,
        "quota": {"total": 1000, "remaining": 7},
        "remaining": 7,
        "error": None,
        "errors": [],
        "statusCode": 200,
    }
    body = httpx.Response(200, json={"data": [CHANNEL], "links": "none", **more}).text
    headers = {
        "Link": '</x>; rel="self"',
        "X-Total-Count": "1",
        "X-Has-More": "false",
        "X-Next-Page": "",
        "X-Total-Pages": "1",
        "Content-Range": "items 0-0/1",
        "X-Pagination": '{"TotalPages": 1, "next": null}',
        "X-Retry-Count": "3",
        "X-RateLimit-Remaining": "99",
        "X-Request-Total": "12",
    }
    with ScriptedServer(answer(200, body, headers)) as server:
        async with mosend(server) as api:
            assert await api.list_channels() == (LIVE,)


@pytest.mark.parametrize("segment", ["", ".", "..", "c\udcff"])
@pytest.mark.parametrize(
    "call",
    [
        lambda api, it: api.delete_channel(it),
        lambda api, it: api.send_message(it, Message(body="Hola")),
        lambda api, it: api.open_session(it, visitor_id="v1", identity=None),
    ],
    ids=["channel", "conversation", "token"],
)
async def test_an_id_that_would_reach_another_path_is_refused(
    call: Callable[[Mosend, str], Awaitable[object]], segment: str
) -> None:
    with ScriptedServer() as server:
        async with mosend(server) as api:
            with pytest.raises(InputError, match="can't be used as a"):
                await call(api, segment)
    assert server.requests == []


async def test_a_session_without_a_visitor_is_refused() -> None:
    with ScriptedServer() as server:
        async with mosend(server) as api:
            with pytest.raises(InputError, match="needs a visitor id"):
                await api.open_session("t1", visitor_id="", identity=None)
    assert server.requests == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"x": float("nan")}, ""),
        ({"x": [float("inf")]}, ""),
        ({"x": "\ud800"}, ": it contains text that isn't valid Unicode"),
    ],
    ids=["NaN", "infinity", "half a character"],
)
async def test_a_body_that_json_cannot_carry_is_refused(body: dict[str, Json], why: str) -> None:
    with ScriptedServer() as server:
        async with mosend(server) as api:
            with pytest.raises(InputError, match=rf"PATCH .*/c1: can't write the request{why}"):
                await api.update_channel("c1", body)
    assert server.requests == []


async def test_deleting_what_is_gone_is_an_error_that_the_caller_can_recognise() -> None:
    with ScriptedServer(answer(404)) as server:
        async with mosend(server) as api:
            with pytest.raises(ApiStatusError) as raised:
                await api.delete_channel("c1")
    assert (raised.value.status, raised.value.in_doubt) == (404, False)
    assert "may have been deleted" in raised.value.hint
