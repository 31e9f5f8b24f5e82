"""Loops over the emulator's tables run over a copy, since threads share the tables without a lock.

The emulator serves requests, events, workflows and rotations in threads of one process. A loop over a dictionary in one
of them fails with "dictionary changed size during iteration" as soon as another adds a key: the slower the machine, the
more often. A request to AWS never fails because another one is being served, so every `for` and every comprehension of
the emulator, and `copy.deepcopy`, iterate over a copy that is taken in one step.

The change is made where the modules are compiled, so that no table is left out, those inside of records included.
"""

import ast
import builtins
import collections
import copy
import hashlib
import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

PACKAGES = ("ministack", "cloud")
_NAME = "__rekey_snapshot__"
_ORDERED: collections.OrderedDict = collections.OrderedDict()
# Lists are left alone: they may change under a loop, and some of the emulator's loops mean to see it.
_TABLES: tuple[type[Iterable], ...] = (
    dict,
    set,
    collections.deque,
    type({}.keys()),
    type({}.values()),
    type({}.items()),
    type(_ORDERED.keys()),
    type(_ORDERED.values()),
    type(_ORDERED.items()),
)
# Built-in functions that run Python code between two elements, or later.
_LOOPING = frozenset(("all", "any", "enumerate", "filter", "iter", "map", "max", "min", "reversed", "zip"))


def snapshot(iterable):
    """Copies a table, or a view of one, in one step; anything else is returned as it is."""
    if not isinstance(iterable, _TABLES):
        return iterable
    while True:
        try:
            return list(iterable)
        except RuntimeError:
            # The garbage collector ran in the middle of the copy and let another thread in.
            continue


class _Loops(ast.NodeTransformer):
    """Wraps what every loop iterates over in a call of `snapshot`."""

    def _wrap(self, iterable: ast.expr) -> ast.expr:
        return ast.copy_location(ast.Call(ast.Name(_NAME, ast.Load()), [iterable], []), iterable)

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.iter = self._wrap(node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        if not node.is_async:
            node.iter = self._wrap(node.iter)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _LOOPING:
            node.args = [arg if isinstance(arg, ast.Starred) else self._wrap(arg) for arg in node.args]
        return node


class _Loader(SourceFileLoader):
    # The import system passes what its own loaders take, which is more than their documented base class does.
    def source_to_code(self, data, path, *, _optimize=-1):  # type: ignore[override]
        tree = ast.fix_missing_locations(_Loops().visit(ast.parse(data, path)))
        return compile(tree, path, "exec", dont_inherit=True, optimize=_optimize)


class _Finder(PathFinder):
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname.partition(".")[0] not in PACKAGES:
            return None
        spec = super().find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
        return spec


def _deepcopy_dict(original: dict, memo: dict) -> dict:
    made: dict = {}
    memo[id(original)] = made
    for key, value in snapshot(original.items()):
        made[copy.deepcopy(key, memo)] = copy.deepcopy(value, memo)
    return made


def compile_loops() -> None:
    """Changes how modules of `PACKAGES` are compiled from now on; those that are loaded already stay as they are."""
    setattr(builtins, _NAME, snapshot)
    # The one way to have `deepcopy` copy a dictionary otherwise, without a class of its own.
    copy._deepcopy_dispatch[dict] = _deepcopy_dict  # type: ignore[attr-defined]  # noqa: SLF001
    # Compiled modules are kept apart by this file's content: Python tells a stale one by its own source alone.
    if sys.pycache_prefix:
        version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
        sys.pycache_prefix = str(Path(sys.pycache_prefix) / f"loops-{version}")
    sys.meta_path.insert(0, _Finder)
