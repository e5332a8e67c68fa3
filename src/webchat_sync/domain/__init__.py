"""What the API's values mean, every fact in one place: fields, list items, opening hours, colours, hosts, names."""
