"""The report as one HTML file: what every channel looks like before and after.

Values come from the authors of manifests: they're inserted as text that Jinja2 escapes, colours only if
``domain.colors`` accepts them, and numbers only as numbers. Nothing is loaded from elsewhere.
"""
