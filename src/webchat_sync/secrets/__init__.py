"""Where a new identity secret goes."""
