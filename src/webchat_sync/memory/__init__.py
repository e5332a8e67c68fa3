"""What is remembered between runs, and the lock that keeps them apart: in a file, or as refs of a git remote."""
