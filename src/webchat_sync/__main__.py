"""``python -m webchat_sync`` is the ``webchat-sync`` command."""

from webchat_sync.cli import main

if __name__ == "__main__":
    main()
