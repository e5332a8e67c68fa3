"""Code hosts, such as GitHub: what a pipeline writes there about a plan."""
