"""From a printed number back to what made it."""
