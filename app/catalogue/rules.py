"""What a product has to be, however it came in: through the API, an import or a test.

Truths about the rows, which every writer keeps and every reader relies on:

- `product_options.position`, `product_images.position`, `product_variants.position` and
  `collection_products.position` count from 1.
- A variant's `option_values` hold one value for each of the product's options, in the options' order, spelled as in
  `product_options.values`. No two variants of a product have the same ones.
- Its `name` is those values joined by " / ". A product without options has exactly one variant, whose `option_values`
  are empty and whose name is the product's.
- `products.min_price_minor` and `max_price_minor` are the range over the variants that are not removed.
- A variant that leaves its product stays as a row with `removed_at` set, since carts, holds and orders name it. It is
  not sold, counted or listed any more; adding the same option values again brings it back under its old id.
- `track_inventory` false: nothing is counted, any quantity can be had. `inventory_policy` CONTINUE: it is counted, and
  can be had beyond what is there. Only ACTIVE products are on sale.
- `description_html` is sanitised, `description` is what a reader sees of it.
- Writers lock a product's row (FOR NO KEY UPDATE), several in the order of their ids, before they change what hangs
  off it.
"""

MAX_VARIANTS = 2048
MAX_OPTIONS = 3
MAX_IMAGES = 250
MAX_TAGS = 250
