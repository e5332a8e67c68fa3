"""What the vendor's values mean, each fact once: fields, list items, opening hours, colours, hosts, names."""
