"""Plans, reports and problems as text and JSON. Everything here returns strings and prints nothing."""
