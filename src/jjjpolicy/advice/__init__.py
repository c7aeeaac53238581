"""What a design allows before anything is estimated."""
