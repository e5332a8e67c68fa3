"""What is wrong with the values of a manifest, or unwise: schema, messages, advice, rules, secrets."""
