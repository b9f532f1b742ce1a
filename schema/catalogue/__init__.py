"""Products and collections in the schema. Other domains show what hangs off theirs with the loaders."""

from schema.catalogue.mutations import CatalogueMutations
from schema.catalogue.queries import CatalogueQueries
from schema.catalogue.reading import known_variants, load_products, load_variants
from schema.catalogue.types import Image, Product, ProductVariant, SelectedOption

__all__ = [
    "CatalogueMutations",
    "CatalogueQueries",
    "Image",
    "Product",
    "ProductVariant",
    "SelectedOption",
    "known_variants",
    "load_products",
    "load_variants",
]
