"""Runs a plan: order, concurrency, and the account of every operation."""
