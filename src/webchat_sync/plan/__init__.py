"""Turns declarations and live channels into a plan. Pure: no socket, no clock."""
