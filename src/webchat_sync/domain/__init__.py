"""What the vendor's values mean, every fact once: fields, items of lists, opening hours, colours, hosts, names."""
