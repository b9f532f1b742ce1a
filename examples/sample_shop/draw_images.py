"""Draws the pictures of the sample shop into app/sample/images. Needs CairoSVG and Pillow, which the shop does not:

pip install cairosvg pillow
python -m examples.sample_shop.draw_images            # all pictures
python -m examples.sample_shop.draw_images --sheet a.png mug kettle   # those whose names match, side by side
"""

import argparse
import io
from pathlib import Path

import cairosvg
from PIL import Image

from examples.sample_shop.canvas import SIZE
from examples.sample_shop.pictures import Picture, all_pictures

FOLDER = Path(__file__).resolve().parents[2] / "app" / "sample" / "images"
QUALITY = 80
SHEET_CELL = 260
SHEET_COLUMNS = 7


def rendered(picture: Picture, size: int) -> Image.Image:
    # Drawn larger than needed, so that edges come out smooth.
    png = cairosvg.svg2png(bytestring=picture.svg().encode(), output_width=size * 2)
    return Image.open(io.BytesIO(png)).convert("RGB").resize((size, size), Image.Resampling.LANCZOS)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--sheet", type=Path)
    options = parser.parse_args()
    pictures = [
        picture
        for picture in all_pictures()
        if not options.names or any(name in picture.name for name in options.names)
    ]
    if options.sheet:
        rows = -(-len(pictures) // SHEET_COLUMNS)
        sheet = Image.new("RGB", (SHEET_COLUMNS * SHEET_CELL, rows * SHEET_CELL), "white")
        for index, picture in enumerate(pictures):
            place = (index % SHEET_COLUMNS * SHEET_CELL, index // SHEET_COLUMNS * SHEET_CELL)
            sheet.paste(rendered(picture, SHEET_CELL), place)
        sheet.save(options.sheet)
        return
    FOLDER.mkdir(exist_ok=True)
    total = 0
    for picture in pictures:
        target = FOLDER / f"{picture.name}.webp"
        rendered(picture, SIZE).save(target, quality=QUALITY, method=6)
        total += target.stat().st_size
    print(f"{len(pictures)} pictures, {total / 1024:,.0f} kB")


if __name__ == "__main__":
    main()
