"""What is remembered between runs: the ledger and the lock."""
