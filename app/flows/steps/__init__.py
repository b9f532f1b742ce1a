"""The kinds of steps: importing this package registers them all."""

import importlib
import pkgutil

from app.flows.steps.base import END, Exit, Go, Result, Step, Wait, kinds, step_kind

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")

__all__ = ["END", "Exit", "Go", "Result", "Step", "Wait", "kinds", "step_kind"]
