"""What differs: documents, drawings and estimates of two versions."""
