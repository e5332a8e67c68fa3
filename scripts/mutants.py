"""Tries mutants of the riskiest rooms: ``python scripts/mutants.py plan.guard secrets``; without a name, all of them.

mutmut generates the mutants. A copy of the checkout in ``mutants/`` imports all of them and collects the tests once.
Each mutant is then tried in a fork, with the tests that reach its function, nearest first, up to the first failure.
Limits are in CPU time, so that a busy or paused machine doesn't change a result. Needs Linux.

Results are kept in ``mutants/results.jsonl``. The next run tries what is new or changed, and after a change of the
tests also what survived. ``docs/contributing/mutants.md`` explains the results.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest
from mutant_trials import Mutant, Result, Trials, kept_results, module_of
from mutmut.configuration import config
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "mutants"
COPY: Final = KEPT / "checkout"
RESULTS: Final = KEPT / "results.jsonl"
PACKAGE: Final = "src/webchat_sync/"

MUTATED: Final = ("plan/secret.py", "secrets/**/*.py", "apply/*.py", "create_once.py", "plan/*.py")
TESTS: Final = (
    *("adopt", "apply", "apply_doubt", "cli_secrets", "drift", "lookalikes", "manifest_identity_secret"),
    *("organization_keys", "plan_*", "render_formats", "restricted_key", "secrets_*", "shapes", "sink_*"),
)

OPTIONS: Final = (
    *("-q", "-s", "--tb=native", "-m", "not slow"),
    *("--override-ini=addopts=", "--rootdir=.", "-p", "no:cacheprovider", "-p", "no:xdist"),
)


def copy_checkout() -> None:
    """Copies the checkout, with all mutants in the modules."""
    shutil.rmtree(COPY, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 - a fixed command
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, COPY / name)
    for path in _modules():
        (COPY / path).write_text(_generated(path)["code"])


def all_mutants() -> list[Mutant]:
    """In the order in which they are tried."""
    return [Mutant(**mutant) for path in _modules() for mutant in _generated(path)["mutants"]]


def _modules() -> Iterable[Path]:
    paths = (path for pattern in MUTATED for path in sorted((ROOT / PACKAGE).glob(pattern)))
    return dict.fromkeys(path.relative_to(ROOT) for path in paths)


def _generated(path: Path) -> dict[str, Any]:
    """The code of a module with all its mutants, and the mutants; kept, since mutmut takes seconds for them."""
    code = (ROOT / path).read_text()
    kept = KEPT / "generated" / f"{hashlib.sha256(f'{path} {code}'.encode()).hexdigest()}.json"
    if not kept.exists():
        mutated = mutate_file_contents(str(path), code)
        mutants = [asdict(mutant) for mutant in _described(path, mutated)]
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"code": mutated.code, "mutants": mutants}))
    generated: dict[str, Any] = json.loads(kept.read_text())
    return generated


def _described(path: Path, mutated: MutatedFile) -> Iterator[Mutant]:
    lines = mutated.code.splitlines()

    def source(name: str) -> list[str]:
        span = mutated.line_span_by_function_name[name]
        return [line.replace(name, name.partition("__mutmut_")[0]) for line in lines[span.start - 1 : span.end]]

    module = ".".join(path.with_suffix("").parts[1:]).removesuffix(".__init__")
    for name in mutated.mutant_names:
        function = name.partition("__mutmut_")[0]
        diff = difflib.unified_diff(source(f"{function}__mutmut_orig"), source(name), lineterm="", n=0)
        changed = "\n".join(line for line in diff if not line.startswith(("---", "+++", "@@")))
        yield Mutant(f"{module}.{name}", f"{module}.{function}", mutated.hash_by_function_name[function], changed)


def status(mutant: Mutant, results: Mapping[str, Result]) -> str:
    """What is known of a mutant."""
    result = results.get(mutant.name)
    return result.status if result and result.function_digest == mutant.function_digest else "not tried"


def table(mutants: Iterable[Mutant], results: Mapping[str, Result]) -> list[str]:
    """How many mutants of each module were killed and so on, as Markdown."""
    columns = ("killed", "survived", "timed out", "not tried")
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        counts[module_of(mutant.name).removeprefix("webchat_sync.")][status(mutant, results)] += 1
    counts["all"] = sum(counts.values(), Counter())
    rows = [(name, *(f"{count[column]:,}" for column in columns)) for name, count in counts.items()]
    return [f"| {' | '.join(row)} |" for row in (("module", *columns), ("---",) * 5, *rows)]


def run(trials: Trials) -> int:
    """The exit code of pytest, which tries the mutants in the copy."""
    copy_checkout()
    os.chdir(COPY)
    sys.path.insert(0, str(COPY / "src"))
    os.environ["PYTHONPATH"] = str(COPY / "src")
    set_mutant_under_test("")
    config()  # Reads a file, which the first test to reach a pure room mustn't seem to do.
    files = [str(path) for name in TESTS for path in sorted(Path("tests").glob(f"test_{name}.py"))]
    return int(pytest.main([*OPTIONS, *files], plugins=[trials]))


def main() -> int:
    """Tries the mutants that are asked for, and prints the survivors and a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = "rooms, modules or functions, like plan.guard.x_refusals, in the order in which to try them"
    parser.add_argument("parts", nargs="*", help=parts)
    parser.add_argument("--seconds", type=float, default=2, help="of quick and of slow tests for a mutant (default: 2)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once (default: processors)")
    parser.add_argument("--report", action="store_true", help="only print what was tried")
    options = parser.parse_args()
    mutants = asked_for(all_mutants(), options.parts)
    if not mutants:
        parser.error("no mutant has such a name")
    trials = Trials(mutants, RESULTS, options.seconds, options.jobs)
    code = 0 if options.report else run(trials)
    results = kept_results(RESULTS)
    for mutant in mutants:
        if status(mutant, results) == "survived":
            print(f"\n{mutant.name} survived\n{mutant.diff}")
    print("", *table(mutants, results), sep="\n")
    for control in trials.killed_controls:
        print(f"The results mean nothing, since a mutant that changes nothing didn't survive: {control}")
    return 1 if trials.killed_controls else code


def asked_for(mutants: Sequence[Mutant], parts: Sequence[str]) -> list[Mutant]:
    """The mutants of the parts, in the order of the parts; all of them if there are none."""
    if not parts:
        return list(mutants)
    chosen = [mutant for part in parts for mutant in mutants if _is_part(mutant, part)]
    return list(dict.fromkeys(chosen))


def _is_part(mutant: Mutant, part: str) -> bool:
    name = mutant.name.removeprefix("webchat_sync.")
    return f"{name}.".startswith((f"{part}.", f"{part}__mutmut_"))


if __name__ == "__main__":
    sys.exit(main())
