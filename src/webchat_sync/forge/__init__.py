"""The hosts of code, such as GitHub: what a pipeline says there about a plan, and where it says it."""
