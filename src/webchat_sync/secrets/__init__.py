"""Creates, delivers, verifies and revokes identity secrets."""
