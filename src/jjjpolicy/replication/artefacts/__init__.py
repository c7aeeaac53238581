"""Tables, figures and numbers that scripts make, and the study that they belong to."""
