"""What is known of places and policies: codes, names, dates, who is treated."""
