"""Refuses a run for an old commit: ``python old_commit.py``, exit code 0, 5, or 6 if GitHub doesn't respond.

Reads the variables of a GitHub runner, and GITHUB_TOKEN, which needs `contents: read`.
"""

from __future__ import annotations

import sys

import click

from webchat_sync.cli.old_commit import refuse_old_commit
from webchat_sync.cli.runtime import Runtime
from webchat_sync.errors import WebchatSyncError
from webchat_sync.render.problems.text import render_error


def main(runtime: Runtime) -> int:
    """The exit code; if it isn't 0, the reason is printed to stderr."""
    try:
        refuse_old_commit(runtime)
    except WebchatSyncError as error:
        click.echo(render_error(error), err=True)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Runtime.real()))
