"""YAML 1.2 with the place of every value: reading, writing and editing in place. Knows nothing about channels."""
