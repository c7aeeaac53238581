"""What differs: documents and estimates of two versions, and instructions of processors."""
