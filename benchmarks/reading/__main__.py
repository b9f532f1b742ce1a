"""Pages of a catalogue, beside the same answers written by hand.

python -m benchmarks.reading [--products 2000] [--rounds 3] [--scale 1.0]
"""

from benchmarks import run
from benchmarks.reading.subjects import SUBJECTS

if __name__ == "__main__":
    run.main(SUBJECTS)
