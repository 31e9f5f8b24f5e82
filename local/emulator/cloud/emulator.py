"""Puts functions of the extension in the place of the emulator's private ones of CloudFormation, and lists them.

An update of the emulator that renames one of them stops the start with its name, before any test can mislead.
"""

import sys
from collections.abc import Callable
from types import ModuleType

# `module.name` of every function of the emulator that was put aside through this module.
replaced: list[str] = []


def replace(module: ModuleType, name: str, make: Callable[[Callable], Callable]) -> None:
    """Puts `make(original)` in the place of `module.name`, also where it was imported by name or answers an action."""
    original = getattr(module, name, None)
    if original is None:
        raise SystemExit(f"The emulator's {module.__name__} has no {name}; the extension was written for one that has.")
    from ministack.services.cloudformation.handlers import _ACTION_HANDLERS

    replacement = make(original)
    for holder in list(sys.modules.values()):
        if getattr(holder, "__name__", "").startswith("ministack.") and getattr(holder, name, None) is original:
            setattr(holder, name, replacement)
    for action, handler in list(_ACTION_HANDLERS.items()):
        if handler is original:
            _ACTION_HANDLERS[action] = replacement
    replaced.append(f"{module.__name__}.{name}")
