"""Problems of the input in every format: one module per format, each with ``render_problems``."""
