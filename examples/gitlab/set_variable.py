"""Puts standard input into a CI/CD variable of this project: ``python3 -I set_variable.py NAME``.

The variable must exist. Needs GITLAB_TOKEN, a project access token with the scope api and the role Maintainer.
"""

from __future__ import annotations

import os
import sys
import urllib.parse
import urllib.request


def main(name: str) -> None:
    """Send it to GitLab ("Update a variable" in the reference of its REST API)."""
    request = urllib.request.Request(  # noqa: S310 - the host of the pipeline sets the address
        f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}/variables/{name}",
        data=urllib.parse.urlencode({"value": sys.stdin.read()}).encode(),
        headers={"PRIVATE-TOKEN": os.environ["GITLAB_TOKEN"]},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=30):  # noqa: S310 - as above
        pass


if __name__ == "__main__":
    main(sys.argv[1])
