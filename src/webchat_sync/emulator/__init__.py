"""The vendor's API as our own server, with faults on order: for the sandbox, for tests, and for experiments.

    store = Store(catalogue=load_catalogue(), path=Path("sandbox.db"))
    with serve(build_app(store)) as base_url:
        ...

Importing it without the ``emulator`` extra raises a WebchatSyncError that says what to install.
"""

from importlib import import_module

from webchat_sync.errors import WebchatSyncError

try:
    # starlette only imports this for the first form
    import_module("python_multipart")
    from webchat_sync.emulator import effects
    from webchat_sync.emulator.app import build_app
    from webchat_sync.emulator.faults import Fault, Faults, read_faults
    from webchat_sync.emulator.front import Call
    from webchat_sync.emulator.quirks import Quirks, read_quirks
    from webchat_sync.emulator.server import serve, serve_forever
    from webchat_sync.emulator.store import Store
except ModuleNotFoundError as error:
    raise WebchatSyncError(
        f"the emulator needs the package {error.name}, which isn't installed",
        hint="Install webchat-sync with the extra `emulator`, for example with `pip install '.[emulator]'` in a clone "
        "of its repository.",
    ) from error

__all__ = [
    "Call",
    "Fault",
    "Faults",
    "Quirks",
    "Store",
    "build_app",
    "effects",
    "read_faults",
    "read_quirks",
    "serve",
    "serve_forever",
]
