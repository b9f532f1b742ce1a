"""Tests of what a user would see, against real servers."""

import os
import sys

# A run starts dozens of processes of the application, and each would compile its nine hundred modules anew: a third of
# what its start takes. So would each worker of `-n auto`, with every test file besides.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
