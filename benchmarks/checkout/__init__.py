"""Adding to a cart and a guest's purchase in three requests, beside the same written by hand."""
