"""Pages of a catalogue, beside the same answers written by hand."""
