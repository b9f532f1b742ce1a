"""CEL's evaluator.

The package brings a command line along, with an editor, colours and menus for a terminal: a twentieth of what every
process loads. It finds an empty module in that one's place.
"""

import sys
from types import ModuleType

sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

from cel import Context  # noqa: E402
from cel import compile as compile_program  # noqa: E402

__all__ = ["Context", "compile_program"]
