"""Adding to a cart and a guest's purchase in three requests, beside the same written by hand.

python -m benchmarks.checkout [--products 2000] [--rounds 3] [--scale 1.0]
"""

from benchmarks import run
from benchmarks.checkout.subjects import SUBJECTS

if __name__ == "__main__":
    run.main(SUBJECTS)
