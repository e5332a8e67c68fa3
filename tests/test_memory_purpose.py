"""What to do if the remote of the memory can't be used, by how it's reached."""

from __future__ import annotations

import pytest

from webchat_sync.memory.purpose import MEMORY


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("https://git.example/acme/site.git", "Check the remote and the token"),
        ("http://localhost:3000/acme/site.git", "Check the remote and the token"),
        ("ssh://git@git.example/acme/site.git", "Check the remote and the SSH key."),
        ("git@git.example:acme/site.git", "Check the remote and the SSH key."),
        ("/srv/git/site.git", "Check the path and the permissions."),
        ("file:///srv/git/site.git", "Check the path and the permissions."),
    ],
)
def test_the_way_out_fits_how_the_remote_is_reached(url: str, hint: str) -> None:
    assert MEMORY.hint_for(url).startswith(hint)
