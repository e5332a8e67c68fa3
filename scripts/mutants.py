"""Tries mutants of the riskiest rooms: ``python scripts/mutants.py plan.guard secrets``; without a name, all of them.

mutmut generates the mutants. A copy of the checkout in ``mutants/`` imports all of them and collects the tests once.
Each mutant is then tried in a fork, with the tests that reach its function, nearest first, up to the first failure.
Limits are in processor time, so that a busy or paused machine doesn't change a result. Needs Linux.

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
from typing import Final

import pytest
from mutant_trials import Mutant, Result, Trials, kept_results, module_of
from mutmut.mutation.file_mutation import MutatedFile, mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test

ROOT: Final = Path(__file__).resolve().parents[1]
KEPT: Final = ROOT / "mutants"
COPY: Final = KEPT / "checkout"
RESULTS: Final = KEPT / "results.jsonl"
PACKAGE: Final = "src/webchat_sync/"

# In the order in which they are tried.
MUTATED: Final = ("plan/secret.py", "secrets/**/*.py", "apply/*.py", "create_once.py", "plan/*.py")
TESTS: Final = (
    *("adopt", "apply", "apply_doubt", "cli_secrets", "drift", "lookalikes", "organization_keys", "plan_*"),
    *("render_formats", "restricted_key", "secrets_*", "shapes", "sink_*"),
)


def generate() -> list[Mutant]:
    """Copies the checkout, and writes all mutants into the copies of the modules."""
    shutil.rmtree(COPY, ignore_errors=True)
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S603 fixed
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, COPY / name)
    modules = dict.fromkeys(path for pattern in MUTATED for path in sorted((ROOT / PACKAGE).glob(pattern)))
    return [mutant for path in modules for mutant in _mutate(path.relative_to(ROOT))]


def _mutate(path: Path) -> list[Mutant]:
    """Replaces a module of the copy with its mutants. Generated ones are kept, since mutmut takes seconds for them."""
    code = (ROOT / path).read_text()
    cache = KEPT / "generated" / f"{hashlib.sha256(f'{path} {code}'.encode()).hexdigest()}.json"
    if not cache.exists():
        mutated = mutate_file_contents(str(path), code)
        mutants = [asdict(mutant) for mutant in _described(path, mutated)]
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps({"code": mutated.code, "mutants": mutants}))
    generated = json.loads(cache.read_text())
    (COPY / path).write_text(generated["code"])
    return [Mutant(**mutant) for mutant in generated["mutants"]]


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


def table(mutants: Iterable[Mutant], results: Mapping[str, Result]) -> list[str]:
    """How many mutants of each module were killed and so on, as Markdown."""
    statuses = ("killed", "survived", "timed out", "not tried")
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for mutant in mutants:
        result = results.get(mutant.name)
        tried = result is not None and result.function_digest == mutant.function_digest
        status = result.status if result is not None and tried else "not tried"
        counts[module_of(mutant.name).removeprefix("webchat_sync.")][status] += 1
        counts["in all"][status] += 1
    counts["in all"] = counts.pop("in all", Counter())
    rows = [(name, *(f"{count[status]:,}" for status in statuses)) for name, count in counts.items()]
    return [f"| {' | '.join(row)} |" for row in (("module", *statuses), ("---",) * 5, *rows)]


def main() -> int:
    """Tries the mutants that are asked for, and prints the survivors and a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="rooms, modules or functions, like plan.guard.x_refusals")
    parser.add_argument(
        "--seconds", type=float, default=2, help="of tests for a mutant, in processor time (default: 2)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes at once (default: processors)")
    parser.add_argument("--report", action="store_true", help="only print what was tried")
    options = parser.parse_args()
    mutants = [mutant for mutant in generate() if _asked_for(mutant, options.parts)]
    trials = Trials(mutants, RESULTS, options.seconds, options.jobs)
    if not mutants:
        parser.error("no mutant has such a name")
    if not options.report:
        os.chdir(COPY)
        sys.path.insert(0, str(COPY / "src"))
        os.environ["PYTHONPATH"] = str(COPY / "src")
        set_mutant_under_test("")
        files = [str(path) for name in TESTS for path in sorted(Path("tests").glob(f"test_{name}.py"))]
        quiet = (
            "-q",
            "-s",
            "--tb=native",
            "--rootdir=.",
            "--override-ini=addopts=",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
        )
        code = pytest.main([*quiet, "-m", "not slow", *files], plugins=[trials])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return int(code)
    results = kept_results(RESULTS)
    for mutant in mutants:
        if mutant.name in results and results[mutant.name].status == "survived":
            print(f"\n{mutant.name} survived\n{mutant.diff}")
    print("", *table(mutants, results), *trials.killed_controls, sep="\n")
    return 1 if trials.killed_controls else 0


def _asked_for(mutant: Mutant, parts: Sequence[str]) -> bool:
    name = mutant.name.removeprefix("webchat_sync.")
    return not parts or any(f"{name}.".startswith((f"{part}.", f"{part}__mutmut_")) for part in parts)


if __name__ == "__main__":
    sys.exit(main())
