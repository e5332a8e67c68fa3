"""What the commands do, one use case a module. Prints nothing, and asks through what it is given."""
