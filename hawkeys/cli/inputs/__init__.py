"""What commands read from tables: events, and the labels of samples."""
