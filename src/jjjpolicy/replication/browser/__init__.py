"""The results browser: one HTML file."""
