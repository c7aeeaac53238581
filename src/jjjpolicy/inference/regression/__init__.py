"""Parts of a regression, and its clusters."""
