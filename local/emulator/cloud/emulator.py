"""Access to the emulator's private names: `seams.py` lists them, and a `Seam` reads and replaces those of one module.

An update of the emulator that drops one of them, or changes its parameters, stops the start with its name, before any
test can mislead.
"""

import importlib
import inspect
import re
import sys
from collections.abc import Callable
from importlib import metadata
from types import ModuleType
from typing import Any

_ENTRY = re.compile(r"(replaced |added )?([A-Za-z_][\w.]*)(?:\((.*)\))?")
_seams: list["Seam"] = []
# The emulator's functions by action, which hold functions that are wrapped.
_tables: list[dict[str, Callable]] = []


class Seam:
    """One module of the emulator, through the names of it that are listed, without their leading underscore.

    A name is looked up at each use, so what one module of the extension replaces is what the others get.
    """

    def __init__(self, module: str, *entries: str) -> None:
        """Takes the module's name, and its seams as `name` or `name(parameters)`, marked `replaced` or `added`."""
        self._name = module
        self._module: ModuleType | None = None
        self._fault: str | None = None
        self._parameters: dict[str, str | None] = {}
        self._private: dict[str, str] = {}
        self._replaced: set[str] = set()
        self._added: set[str] = set()
        for entry in entries:
            match = _ENTRY.fullmatch(entry)
            if match is None:
                raise ValueError(f"{module}: {entry!r} is no seam.")
            mark, name, parameters = match.groups()
            self._parameters[name] = parameters
            public = name.removeprefix("_")
            if self._private.setdefault(public, name) != name:
                raise ValueError(f"{module}: {name} and {self._private[public]} would have one name.")
            if mark == "replaced ":
                self._replaced.add(public)
            elif mark == "added ":
                self._added.add(public)
        try:
            self._module = importlib.import_module(module)
        except ImportError as error:
            self._fault = f"{module} cannot be imported ({error})"
        _seams.append(self)

    def __getattr__(self, name: str) -> Any:
        """Looks up what the emulator's module has now."""
        return getattr(self._module, self._listed(name))

    def dispatches(self, table: str) -> None:
        """Tells of a table that holds functions by action, so that `wrap` reaches them there."""
        if self._module is not None:
            _tables.append(getattr(self._module, self._listed(table), {}))

    def replace(self, **replacements: Any) -> None:
        """Puts each value in the place of the module's attribute of that name."""
        for name, value in replacements.items():
            setattr(self._module, self._to_replace(name), value)

    def add(self, **additions: Any) -> None:
        """Gives the module attributes that it does not have, for code of the emulator that looks for them by name."""
        for name, value in additions.items():
            if name not in self._added:
                raise AttributeError(f"seams.py does not list {name} of {self._name} as added.")
            setattr(self._module, self._private[name], value)

    def wrap(self, **wrappers: Callable[[Callable], Callable]) -> None:
        """Puts `make(original)` in the place of functions, also where one was imported by name or answers an action."""
        for name, make in wrappers.items():
            private = self._to_replace(name)
            original = getattr(self._module, private)
            replacement = make(original)
            for holder in list(sys.modules.values()):
                held = getattr(holder, "__name__", "").startswith("ministack.")
                if held and getattr(holder, private, None) is original:
                    setattr(holder, private, replacement)
            for table in _tables:
                table.update({action: replacement for action, handler in table.items() if handler is original})

    def faults(self) -> list[str]:
        """Says what the emulator has no more, or has with other parameters."""
        if self._fault is not None:
            return [self._fault]
        found = (self._fault_of(name, parameters) for name, parameters in self._parameters.items())
        return [f"{self._name}.{fault}" for fault in found if fault is not None]

    def _listed(self, name: str) -> str:
        private = self._private.get(name)
        if private is None:
            raise AttributeError(f"seams.py lists no {name} of {self._name}.")
        return private

    def _to_replace(self, name: str) -> str:
        private = self._listed(name)
        if name not in self._replaced:
            raise AttributeError(f"seams.py does not list {private} of {self._name} as replaced.")
        return private

    def _fault_of(self, name: str, parameters: str | None) -> str | None:
        owner, _, attribute = name.rpartition(".")
        holder = getattr(self._module, owner, None) if owner else self._module
        if name.removeprefix("_") in self._added:
            return f"{name} is there already" if hasattr(holder, attribute) else None
        if not hasattr(holder, attribute):
            # What an object has is seen in the code that makes one.
            code = getattr(getattr(holder, "__init__", None), "__code__", None)
            return None if code is not None and attribute in code.co_names else f"{name} is gone"
        if parameters is None:
            return None
        value = getattr(holder, attribute)
        actual = parameters_of(value) if callable(value) else None
        if actual != parameters:
            return f"{name} takes ({actual}), not ({parameters})" if actual is not None else f"{name} is no function"
        return None


def parameters_of(function: Callable) -> str:
    """Writes the parameters of a function as `seams.py` lists them: their names, with stars."""
    stars: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return ", ".join(stars.get(one.kind, "") + one.name for one in inspect.signature(function).parameters.values())


def verify() -> None:
    """Ends the process with a sentence unless the emulator has every name that is listed. Comes before `install()`."""
    faults = [fault for seam in _seams for fault in seam.faults()]
    if faults:
        sys.exit(
            f"MiniStack {metadata.version('ministack')} is not the one that the local cloud was written for: "
            f"{'; '.join(faults)}. seams.py of the local cloud lists what it needs."
        )
