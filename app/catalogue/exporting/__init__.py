"""The catalogue as a file: batch by batch, resumable, and importable again as it was."""
