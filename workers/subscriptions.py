"""Every domain's `handlers.py`: importing it subscribes them to their events."""

import importlib
import importlib.util
import pkgutil

import app


def load() -> None:
    for package in pkgutil.iter_modules(app.__path__):
        name = f"app.{package.name}.handlers"
        if package.ispkg and importlib.util.find_spec(name):
            importlib.import_module(name)
