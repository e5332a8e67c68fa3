"""The ``webchat-sync`` command, also as ``python -m webchat_sync``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it without a traceback, even while it's being imported."""
    try:
        from webchat_sync.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
