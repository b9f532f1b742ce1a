"""What staff change about a product: decided here without I/O, stored by `app.catalogue.service`."""
