"""Declarations and live channels in, a plan out: pure, without a socket or a clock."""
