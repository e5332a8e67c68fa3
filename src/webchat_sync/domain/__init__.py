"""What the vendor's values mean, each fact once: fields, items of lists, opening hours, colours, hosts, names."""
