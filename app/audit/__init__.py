"""Who of the staff, and which key, changed what."""
