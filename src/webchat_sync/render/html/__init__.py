"""The report as one HTML file that a reviewer opens: what every channel looks like before and after.

Values are whoever wrote the manifests': they reach the page as text that Jinja2 escapes, a colour only after
``domain.colors`` has said that it is one, and numbers only as numbers. Nothing is loaded from anywhere.
"""
