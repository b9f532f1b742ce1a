"""Parcel carriers: their names, the numbers they put on parcels, and the pages that track them."""
