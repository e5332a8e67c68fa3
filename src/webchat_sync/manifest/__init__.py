"""From text to declarations and back: reading, checking and writing manifests."""

from webchat_sync.manifest.left_out import refuse_left_out
from webchat_sync.manifest.load import Loaded, load_manifests, with_lines

__all__ = ["Loaded", "load_manifests", "refuse_left_out", "with_lines"]
