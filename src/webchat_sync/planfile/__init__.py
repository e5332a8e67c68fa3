"""Saved plans and snapshots: writing, reading, and comparing with what is live now."""
