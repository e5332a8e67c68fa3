"""Chaos rounds: random channels, declarations, faults, edits and kills, from a seed.

A round applies its declarations once or twice while everything goes wrong, then at most twice without faults. After
every run, the report must be true, and at the end, the channels must match the declarations.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Final, get_args

from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from chaos_run import End, EndKind, Flaw, Run
from chaos_scene import Scene
from chaos_stage import Stage, meanwhile, slow
from planning import catalogue, declare
from webchat_sync.emulator import Fault, Quirks, effects
from webchat_sync.emulator.effects import Effect
from webchat_sync.model import Declaration, Json

CLEAN_RUNS: Final = 2

VALUES: Final[Mapping[str, Sequence[Json]]] = {
    "color": ["#0F766E", "#fff", "#000000"],
    "welcomeMessage": ["Hola", "Hola\n", "¿En qué podemos ayudarte?", ""],
    "allowedDomains": [["WWW.Example.com", "help.example.com"], ["help.example.com"], []],
    "botEnabled": [True, False],
    "enabled": [True, False],
    "theme": ["light", "dark", "auto"],
    "offlineMessage": ["Volvemos mañana ", "Adiós", None],
    "bubbleOffsetX": [0, 12.5, None],
    "operatingHours": [
        {"timezone": "America/Bogota", "days": {"mon": ["09:00-13:00", "14:00-18:00"], "sat": ["09:00-13:00"]}},
        {"timezone": "UTC", "days": {"mon": ["09:00-13:00"], "sun": None}},
        None,
    ],
    "prechatFields": [
        [{"label": "Email", "required": True}],
        [{"label": "Name", "type": "text"}, {"label": "Email", "required": False}],
        None,
    ],
    "departments": [
        [{"name": "Sales"}, {"name": "Support", "people": [{"name": "Ana"}]}],
        [{"name": "Support", "people": []}, {"name": "Sales"}],
    ],
}
ON_CREATE: Final = frozenset(name for name in VALUES if catalogue().fields[name].create)
MAY_BE_OMITTED: Final = ("theme", "prechatFields", "welcomeMessage", "departments")


@dataclass
class Figures:
    """The results of a number of rounds; each flaw has the seed of its round."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    edits: Counter[str] = field(default_factory=Counter)
    flaws: list[tuple[int, Flaw]] = field(default_factory=list)

    def add(self, other: Figures) -> None:
        self.counts.update(other.counts)
        self.faults.update(other.faults)
        self.edits.update(other.edits)
        self.flaws.extend(other.flaws)

    def met(self, kind: str, effect: Effect, *, among: Counter[str] | None = None) -> Effect:
        """``effect``, counted when it acts, with the faults or ``among`` others."""
        counter = self.faults if among is None else among

        async def act(app: ASGIApp, scope: AsgiScope, receive: Receive, send: Send) -> None:
            counter[kind] += 1
            await effect(app, scope, receive, send)

        return act

    def ran(self, run: Run) -> None:
        self.counts.update(runs=1, calls=len(run.arrivals), kills=run.killed)


async def chaos_round(stage: Stage, seed: int) -> Figures:
    """One round; the same seed gives the same round, but for the order of calls that run side by side."""
    random, figures = Random(seed), Figures(Counter(rounds=1))
    scene = random_scene(stage, random)
    for _ in range(random.randint(1, 2)):
        faults = random_faults(scene, random, figures)
        run = await scene.run(faults, end=random_end(random), parallelism=random.choice([1, 2, 8]))
        figures.ran(run)
        figures.flaws += [(seed, flaw) for flaw in scene.account(run)]
    figures.flaws += [(seed, flaw) for flaw in await settle(scene, figures)]
    return figures


async def settle(scene: Scene, figures: Figures) -> list[Flaw]:
    """Run without faults until nothing is left to do; returns the flaws of the channels and the reports."""
    flaws = list[Flaw]()
    for _ in range(CLEAN_RUNS):
        run = await scene.run()
        figures.ran(run)
        flaws += scene.account(run)
        if run.converged:
            break
    else:
        flaws.append(Flaw("loss", f"not converged: {run.error or run.report}"))
    return [*flaws, *scene.flaws()]


def random_scene(stage: Stage, random: Random) -> Scene:
    scene = Scene(stage, random_quirks(random), page_size=random.choice([None, None, 1, 2, 3]))
    for name in random.sample("ABCDE", random.randint(0, 5)):
        scene.seed(name, random_fields(random, VALUES))
    redeclare(scene, random)
    return scene


def redeclare(scene: Scene, random: Random) -> None:
    """Declare some of the live channels, and some new ones."""
    live = {str(channel["name"]): channel for channel in scene.live.values()}
    names = sorted(live)
    declarations = list[Declaration]()
    for name in names:
        # A channel whose `enabled: false` is no longer declared looks unfinished: see plan/unfinished.py.
        off: dict[str, Json] = {} if live[name]["enabled"] else {"enabled": False}
        fields = {**off, **random_fields(random, VALUES)}
        declarations += random_declaration(name, fields, random, new_name=f"R{next(scene.keys)}")
    taken = {name.strip() for name in [*names, *(declaration.name for declaration in declarations)]}
    for name in [name for name in "VWXYZ" if name not in taken][: random.randint(0, 3)]:
        fields = random_fields(random, ON_CREATE if random.random() < 0.4 else VALUES)
        declarations.append(declare(name + random.choice(["", "", " "]), **fields))
    random.shuffle(declarations)
    scene.declare(declarations, prune=random.random() < 0.3)


def random_declaration(name: str, fields: dict[str, Json], random: Random, *, new_name: str) -> Iterator[Declaration]:
    """A declaration of the live channel with that name, or none."""
    match random.choice(["update", "update", "rename", "absent", "equal", "undeclared"]):
        case "update":
            yield declare(name, **fields)
        case "rename":
            yield replace(declare(new_name, **fields), renamed_from=name)
        case "absent":
            yield replace(declare(name, **fields), absent=True)
        case "equal":
            yield declare(name)


def random_fields(random: Random, names: Iterable[str]) -> dict[str, Json]:
    pool = sorted(names)
    return {name: random.choice(VALUES[name]) for name in random.sample(pool, random.randint(0, min(4, len(pool))))}


def random_quirks(random: Random) -> Quirks:
    normalising, omitting = random.random() < 0.5, random.random() < 0.2
    return Quirks(
        trim_texts=normalising,
        lower_case=normalising,
        drop_nulls=normalising,
        reorder_keys=normalising,
        omit=frozenset(random.sample(MAY_BE_OMITTED, 1) if omitting else ()),
        idempotency=random.random() < 0.3,
    )


def random_end(random: Random) -> End:
    if random.random() < 0.5:
        return End()
    return End(random.choice(get_args(EndKind)), random.randint(1, 6))


def random_faults(scene: Scene, random: Random, figures: Figures) -> list[Fault]:
    """What goes wrong in one run, and what others do meanwhile."""
    faults = []
    for _ in range(random.randint(0, 8)):
        method = random.choice(["GET", "POST", "POST", "PATCH", "PATCH", "DELETE", "*"])
        effects_by_kind = fault_effects(scene, random)
        kind = random.choice([*effects_by_kind, "committed late", "committed late"])
        first, times = random.choice([1, 1, 2, 3, 4]), random.choice([1, 1, 1, 2, 4, 8])
        nth = frozenset(range(first, first + times))
        faults.append(Fault(figures.met(kind, effects_by_kind[kind]), method, nth=nth))
    edits = list(edits_of_others(scene, random).items())
    for kind, edit in random.sample(edits, min(len(edits), random.randint(0, 2))):
        effect = figures.met(kind, meanwhile(edit), among=figures.edits)
        faults.append(Fault(effect, nth=random.randint(1, 8)))
    return faults


def fault_effects(scene: Scene, random: Random) -> dict[str, Effect]:
    """One effect of each kind that the API is known for.

    425, 429 and refusals only come before the commit: they promise that nothing was done, and nothing works with a
    server that lies about that.
    """
    chunked, keep = random.choice([True, False]), random.choice([0, 1, 10, 10_000])
    location, redirect = scene.stage.elsewhere_url, random.choice([301, 302, 303, 307, 308])
    return {
        **{f"{each}": effects.status(each) for each in (408, 409, 425, 500, 502, 503, 504)},
        **{f"{each} after the commit": effects.status(each, after_commit=True) for each in (408, 500, 502, 503, 504)},
        "429": effects.status(429, retry_after=random.choice([None, 0, 3, 61])),
        "rate limit": effects.rate_limit(3, 10, clock=scene.time.clock),
        "dropped": effects.drop(),
        "dropped after the commit": effects.drop(after_commit=True),
        "cut in chunks" if chunked else "cut": effects.cut(keep=keep, chunked=chunked),
        "HTML": effects.html(),
        "HTML after the commit": effects.html(after_commit=True),
        "empty": effects.empty(),
        "empty after the commit": effects.empty(after_commit=True),
        "redirect": effects.redirect(location, status=redirect),
        "slow": slow(random.randint(1, 20)),
        "committed late": scene.late.effect(random.uniform(1, 10)),
    }


def edits_of_others(scene: Scene, random: Random) -> dict[str, Callable[[], None]]:
    """What others may do without contradicting the declarations."""
    edits: dict[str, Callable[[], None]] = {}
    for identifier in scene.before:
        declaration = scene.declaration_of(identifier)
        if scene.is_to_go(identifier):
            edits["deleted"] = partial(scene.delete, identifier)
            continue
        managed = declaration.fields if declaration else {}
        name = random.choice([name for name in VALUES if name not in managed])
        value = random.choice(VALUES[name])
        kind = "changed, declared" if declaration else "changed, undeclared"
        edits[kind] = partial(scene.edit, identifier, name, value)
    return edits
