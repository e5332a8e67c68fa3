"""Problems of the input in every format: one module per format, with ``render_problems``."""
