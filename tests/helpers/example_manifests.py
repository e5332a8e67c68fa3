"""The manifests among the examples; other YAML files are for Kubernetes and Argo CD."""

from __future__ import annotations

from pathlib import Path

EXAMPLES = sorted(
    file
    for file in (Path(__file__).parents[2] / "examples").rglob("*.yaml")
    if "apiVersion:" not in file.read_text(encoding="utf-8")
)
