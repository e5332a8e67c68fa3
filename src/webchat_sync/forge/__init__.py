"""The hosts of code, GitHub and GitLab: what a pipeline says there about a plan, and where it says it."""
