"""Results rebuilt, or of two versions, and what differs between them."""
