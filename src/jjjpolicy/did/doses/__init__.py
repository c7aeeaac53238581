"""Effects of a dose as functions of it."""
