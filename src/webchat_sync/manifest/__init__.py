"""From text to declarations and back: reading, checking and writing manifests."""

from webchat_sync.manifest.left_out import left_out
from webchat_sync.manifest.load import Loaded, load_manifests, with_lines

__all__ = ["Loaded", "left_out", "load_manifests", "with_lines"]
