"""Saved plans and snapshots: written, read again, and held against what is live now."""
