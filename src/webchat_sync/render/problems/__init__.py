"""What is wrong with the input, in every format: one module a format, each with ``render_problems``."""
