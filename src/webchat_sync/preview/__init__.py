"""The live page over HTTP on loopback: what is served, and to whom.

Importing it without the ``preview`` extra raises a WebchatSyncError that says what to install.
"""

from importlib import import_module

from webchat_sync.errors import WebchatSyncError

try:
    import_module("watchfiles")
    from webchat_sync.preview.app import build_app
    from webchat_sync.preview.watch import Watch
except ModuleNotFoundError as error:
    raise WebchatSyncError(
        f"the preview needs the package {error.name}, which isn't installed",
        hint="Install webchat-sync with the extra `preview`, for example with `pip install '.[preview]'` in a clone "
        "of its repository.",
    ) from error

__all__ = ["Watch", "build_app"]
