"""Plans for the tests of the HTML report."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from planning import declare, live, plan_for
from webchat_sync.errors import Place
from webchat_sync.model import Declaration, Json, LiveChannel, Plan

FULL: Final[list[Json]] = ["09:00-18:00"]
WEEKDAYS: Final[dict[str, Json]] = dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), FULL)
SPLIT: Final[dict[str, Json]] = {"mon": ["09:00-13:00", "14:00-18:00"], "sat": ["10:00-14:00"]}
LONG_NAME: Final = "A very long name of a channel that goes on and on " * 2
ARABIC: Final = "دعم العملاء في المملكة العربية السعودية"


def week(timezone: str = "America/Bogota", /, **days: Json) -> dict[str, Json]:
    return {"timezone": timezone, "days": days}


def rich_plan() -> Plan:
    """One of each: a full update, a create, a delete, right-to-left text, very long text, emoji, an unknown shape."""
    pairs: list[tuple[Declaration | None, LiveChannel | None]] = [
        (
            declare(
                "Support",
                color="#0f766e",
                welcomeMessage="Hi! How can we help you today?\nWe answer within a few minutes.",
                allowedDomains=["www.example.com", "help.example.com"],
                operatingHours=week(**WEEKDAYS | SPLIT),
                prechatFields=[{"label": "Email", "type": "email", "required": True}, {"label": "Order number"}],
                departments=[{"name": "Sales"}, {"name": "Returns"}],
                offlineMessage="We are back at nine.",
                offlineMessageLunch="Having lunch, back at two.",
                bubblePosition="left",
                bubbleOffsetBottom=120,
                bubbleOffsetX=40,
                theme="auto",
                identityRequired=True,
            ),
            live(
                "Support",
                "c-1",
                color="#2563eb",
                welcomeMessage="Hi! How can we help?",
                allowedDomains=["www.example.com", "old.example.com"],
                operatingHours=week(**WEEKDAYS),
                prechatFields=[{"id": "1", "label": "Email", "type": "email", "required": False}],
                departments=[{"id": "9", "name": "Sales"}],
                offlineMessage="Closed.",
                offlineMessageLunch=None,
                bubblePosition="right",
                bubbleOffsetBottom=None,
                bubbleOffsetX=None,
                theme="light",
                identityRequired=False,
                hasIdentitySecret=True,
            ),
        ),
        (
            declare(
                "Sales",
                color="#fde047",
                welcomeMessage="Questions about our plans? Ask away.",
                allowedDomains=["shop.example.com"],
                theme="dark",
                proactiveTriggers=[{"name": "Prices", "message": "Need a quote?"}],
            ),
            None,
        ),
        (
            declare(
                ARABIC,
                welcomeMessage="مرحبا! كيف يمكننا مساعدتك اليوم؟ نحن هنا من التاسعة صباحا (9:00).",
                color="#7c3aed",
            ),
            live(ARABIC, "c-3", welcomeMessage="مرحبا! كيف يمكننا مساعدتك؟", color="blue"),
        ),
        (
            declare(
                LONG_NAME,
                welcomeMessage="🎉🎉 Hola 👩‍👩‍👧‍👦 " + "Lorem ipsum dolor sit amet consectetur " * 11,
                enabled=False,
                operatingHours={"weird": [1, 2, 3]},
            ),
            live(LONG_NAME, "c-4", welcomeMessage="Hola", enabled=True, operatingHours=None),
        ),
        (
            Declaration("Old", {"name": "Old"}, Place("channels/old.yaml", 3, 1), absent=True),
            live("Old", "c-5", color="#b91c1c", welcomeMessage="Bye", operatingHours=week(mon=FULL)),
        ),
        (declare("Quiet", color="#2563eb"), live("Quiet", "c-7", color="#2563eb")),
        (None, live("Nobody's", "c-6")),
    ]
    return plan_for([left for left, _ in pairs if left], [right for _, right in pairs if right])


def many_channels(count: int) -> Plan:
    """``count`` channels with many changes."""
    after = {
        "welcomeMessage": "Hi! How can we help you today? " * 5,
        "operatingHours": week("Europe/Madrid", **WEEKDAYS | SPLIT),
        "prechatFields": [{"label": "Email", "type": "email", "required": True}],
        "offlineMessage": "We are back at nine.",
        "departments": [{"name": "Sales"}, {"name": "Support"}],
    }
    before = {
        "color": "#2563eb",
        "welcomeMessage": "Hi! How can we help? " * 5,
        "allowedDomains": ["www.example.com", "help.example.com"],
        "operatingHours": week("Europe/Madrid", **WEEKDAYS),
        "prechatFields": [],
        "offlineMessage": "Closed.",
        "departments": [],
    }
    return plan_for(
        [
            declare(
                f"Channel {number}",
                color=f"#{number * 4001:06x}",
                allowedDomains=[f"www{number}.example.com", "help.example.com"],
                **after,  # type: ignore[arg-type]
            )
            for number in range(count)
        ],
        [live(f"Channel {number}", f"c-{number}", **before) for number in range(count)],  # type: ignore[arg-type]
    )


def hostile_values(canary: str) -> list[str]:
    """Texts that would call ``canary`` or change the title if they were interpreted."""
    return [
        f'"><img src={canary}/img onerror="document.title=`pwned`">',
        f"</script><script>document.title='pwned';fetch('{canary}/script')</script>",
        f"</style><style>body{{background:url({canary}/style)}}</style>",
        f"red;background:url({canary}/color)",
        f"#fff}}body{{background:url({canary}/rule)}}",
        f"' onmouseover='document.title=`pwned`' style='background:url({canary}/attribute)",
        f"javascript:fetch('{canary}/url')//",
        "{{ 7 * 7 }}{% raw %}",
        "-->\u202e<svg/onload=document.title='pwned'>\x00\ud800",
        f'<meta http-equiv=refresh content="0;url={canary}/refresh">',
        f"<link rel=stylesheet href={canary}/link><base href={canary}/>",
    ]


def hostile_plan(canary: str) -> Plan:
    """A plan in which every value from a manifest is hostile."""
    values = hostile_values(canary)
    declarations, channels = [], []
    for number, bad in enumerate(values):
        fields: dict[str, Json] = {
            "color": bad,
            "welcomeMessage": bad,
            "allowedDomains": [bad],
            "operatingHours": {"timezone": bad, "days": {"mon": ["09:00-13:00"], "sat": []}},
            "prechatFields": [{"id": bad, "label": bad, "type": bad, "required": True, "options": [bad, {"x": bad}]}],
            "departments": [{"id": bad, "name": bad}, bad],
            "proactiveTriggers": [{"name": bad, "message": bad, bad: bad}],
            "offlineAction": {"type": bad, bad: [bad]},
            "offlineMessage": bad,
            "offlineMessageLunch": bad,
            "bubblePosition": bad,
            "bubbleOffsetBottom": bad,
            "bubbleOffsetX": 1e300,
            "theme": bad,
            "unheardOf": {bad: bad},
        }
        declaration = declare(f"{bad}{number}", **fields)
        declarations.append(
            replace(declaration, place=Place(bad, 1, 1), field_places={"color": Place(f"x/{bad}", 2, 2)})
        )
        if number % 2:
            channels.append(live(f"{bad}{number}", bad, **{**fields, "color": bad + "!", "operatingHours": bad}))
        else:
            channels.append(live(f"undeclared {bad}", bad))
    channels = [replace(channel, id=f"{channel.id}{number}") for number, channel in enumerate(channels)]
    return plan_for(declarations, channels)
