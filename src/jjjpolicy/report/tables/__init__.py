"""Tables, defined once and printed in every format and in both languages."""
