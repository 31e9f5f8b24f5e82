"""Rules for the Python here that no linter has: `own_rules.py FOLDER...`, where the first folder is the local cloud's.

- What is private to the emulator, and what the extension replaces of it, is used through `seams.py` alone.
- `seams.py` lists what is used, and nothing else.
- A docstring says what a function does ("Sends ...") or gives ("The ..."), as the TypeScript's do; it commands nothing.
- No banners: what needs a heading is a module of its own.
"""

import ast
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

_EMULATOR = "ministack"
_METHODS = {"replace", "wrap", "add", "dispatches"}
_ENTRY = re.compile(r"(?:(replaced|added) )?([A-Za-z_][\w.]*)(?:\(.*\))?")
_OPENERS = {"The", "A", "An", "One", "What", "Whether", "Why", "When", "How", "Where", "Which"}

# By seam and by name without underscore: how the entry is marked, and the name as it is.
Seams = dict[str, dict[str, tuple[str | None, str]]]


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def _root(node: ast.AST) -> str | None:
    """The name that a chain of attributes, calls and subscripts begins with."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def _text(node: ast.AST) -> str | None:
    """The text of a constant."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def read_seams(path: Path) -> tuple[Seams, dict[str, str]]:
    """The entries of each seam, and the module of the emulator that it stands for."""
    seams: Seams = {}
    modules: dict[str, str] = {}
    for node in ast.parse(path.read_text()).body:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and _root(node.value) == "Seam"):
            continue
        assert isinstance(node.targets[0], ast.Name)
        module, *entries = (_text(argument) or "" for argument in node.value.args)
        modules[node.targets[0].id] = module
        seam = seams[node.targets[0].id] = {}
        for entry in entries:
            match = _ENTRY.fullmatch(entry)
            if match is None:
                raise SystemExit(f"{path}: {entry!r} is no seam.")
            seam[match[2].removeprefix("_")] = (match[1], match[2])
    return seams, modules


class Names(ast.NodeVisitor):
    """What one module touches of the emulator, directly and through seams."""

    def __init__(self, seams: Seams, modules: dict[str, str]) -> None:
        """Takes what `read_seams` returns."""
        self._seams = seams
        self._modules = {module: name for name, module in modules.items()}
        # What the module imports: by its name here, the full name.
        self._imported: dict[str, str] = {}
        # Classes of the emulator, under names of the module.
        self._classes: set[str] = set()
        self.findings: list[tuple[int, str]] = []
        self.used: set[tuple[str, str]] = set()
        # Texts and attributes of unknown objects, which may be names of seams.
        self.texts: set[str] = set()
        # Seams whose names are computed where they are replaced.
        self.computed: set[str] = set()

    def _find(self, node: ast.AST, message: str) -> None:
        self.findings.append((getattr(node, "lineno", 0), message))

    def _is_emulators(self, node: ast.AST) -> bool:
        return self._imported.get(_root(node) or "", "").partition(".")[0] == _EMULATOR

    def _is_seam(self, node: ast.AST) -> bool:
        return _root(node) == "seams" and self._imported.get("seams") == "cloud.seams"

    def _refuse_private(self, node: ast.AST, name: str) -> None:
        if any(_is_private(part) for part in name.split(".")):
            self._find(node, f"{name} is private to the emulator; list it in seams.py and use it through a seam")

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported[alias.asname or alias.name.partition(".")[0]] = alias.name
            if alias.name.partition(".")[0] == _EMULATOR:
                self._refuse_private(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name = f"{node.module or ''}.{alias.name}"
            self._imported[alias.asname or alias.name] = name
            if name.partition(".")[0] == _EMULATOR:
                self._refuse_private(node, name)
                self._refuse_replaced(node, node.module or "", alias.name)
            elif node.module == "cloud.seams":
                self._find(node, f"{name} hides that {alias.name} is a seam; import seams")

    def _refuse_replaced(self, node: ast.AST, module: str, name: str) -> None:
        seam = self._modules.get(module, "")
        mark, _ = self._seams.get(seam, {}).get(name, (None, ""))
        if mark is not None:
            self._find(node, f"{name} of {module} is {mark} by the extension; use seams.{seam}.{name}")

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        root = _root(node)
        if self._is_seam(node):
            self._visit_seam(node)
        elif self._is_emulators(node):
            self._visit_emulators(node)
        elif root not in ("self", "cls") and root not in self._imported:
            # It may be a seam under another name.
            self.texts.add(node.attr)
            if _is_private(node.attr):
                self._find(node, f"{ast.unparse(node)} is private; what is the emulator's is used through a seam")

    def _visit_emulators(self, node: ast.Attribute) -> None:
        shown = ast.unparse(node)
        if _is_private(node.attr) or node.attr == "__dict__":
            self._find(node, f"{shown} is private to the emulator; list it in seams.py and use it through a seam")
        elif not isinstance(node.ctx, ast.Load):
            self._find(node, f"{shown} is replaced here; list it in seams.py and replace it through a seam")
        elif isinstance(node.value, ast.Name):
            self._refuse_replaced(node, self._imported[node.value.id], node.attr)

    def _visit_seam(self, node: ast.Attribute) -> None:
        if isinstance(node.value, ast.Name):
            if node.attr not in self._seams and not node.attr.startswith("entries_of"):
                self._find(node, f"seams.py has no {node.attr}")
        elif isinstance(node.value, ast.Attribute) and isinstance(node.value.value, ast.Name):
            seam = node.value.attr
            if node.attr in self._seams.get(seam, {}):
                self.used.add((seam, node.attr))
            elif node.attr not in _METHODS:
                self._find(node, f"seams.py lists no {node.attr} of {seam}")
            if not isinstance(node.ctx, ast.Load):
                self._find(node, f"{ast.unparse(node)} is set on the seam alone; use its replace()")
        elif _is_private(node.attr):
            self._find(node, f"{ast.unparse(node)} is private to the emulator; list it in seams.py")

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        name = ast.unparse(node.func).rpartition(".")[2]
        if node.args:
            emulators = self._is_emulators(node.args[0])
            second = _text(node.args[1]) if len(node.args) > 1 else None
            writes = name in ("setattr", "delattr", "vars") and (emulators or self._is_seam(node.args[0]))
            reads = name in ("getattr", "hasattr") and emulators and (second is None or _is_private(second))
            if writes or reads:
                self._find(node, f"{ast.unparse(node)} goes around the seams")
        if isinstance(node.func, ast.Attribute) and self._is_seam(node.func) and name in _METHODS:
            self._visit_replacement(node.func.value, node.keywords)

    def _visit_replacement(self, seam: ast.expr, keywords: list[ast.keyword]) -> None:
        name = ast.unparse(seam).rpartition(".")[2]
        for keyword in keywords:
            if keyword.arg is None:
                self.computed.add(name)
            elif self._seams.get(name, {}).get(keyword.arg, (None, ""))[0] is None:
                self._find(seam, f"seams.py does not list {keyword.arg} of {name} as replaced or added")
            else:
                self.used.add((name, keyword.arg))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.texts.add(node.value)
            if re.fullmatch(rf"{_EMULATOR}(?:\.\w*)+", node.value):
                self._find(node, f"{node.value!r} names a module of the emulator; import it")

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if node.value is not None and isinstance(node.target, ast.Name) and self._is_seam(node.value):
            self._classes.add(node.target.id)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.generic_visit(node)
        bases = {_root(base) for base in node.bases}
        if not (bases & self._classes or any(self._is_emulators(base) for base in node.bases)):
            return
        methods = [one for one in node.body if isinstance(one, (ast.FunctionDef, ast.AsyncFunctionDef))]
        own = {method.name for method in methods}
        touched: dict[str, ast.AST] = {method.name: method for method in methods}
        for method in methods:
            for one in ast.walk(method):
                if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self":
                    touched.setdefault(one.attr, one)
                    if method.name == "__init__" and isinstance(one.ctx, ast.Store):
                        own.add(one.attr)
        listed = {
            name.rpartition(".")[2]: (seam, public)
            for seam, entries in self._seams.items()
            for public, (_, name) in entries.items()
            if "." in name
        }
        for name, where in touched.items():
            if name in listed:
                self.used.add(listed[name])
            elif _is_private(name) and name not in own:
                self._find(where, f"self.{name} of {node.name} is the emulator's; list it in seams.py")


def mood(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Finds docstrings that begin in the imperative: with a plain word that is neither a verb in -s nor an article."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = ((ast.get_docstring(node) or "").split() or [""])[0].rstrip(",.:;")
            if re.fullmatch(r"[A-Z][a-z]+", first) and first not in _OPENERS and not first.endswith("s"):
                yield node.lineno, f'the docstring of {node.name} begins with "{first}"; say what it does or gives'


def banners(path: Path) -> Iterator[tuple[int, str]]:
    """Finds comments that draw a line."""
    with tokenize.open(path) as file:
        for token in tokenize.generate_tokens(file.readline):
            if token.type == tokenize.COMMENT and re.search(r"[-=#*~]{4,}", token.string):
                yield token.start[0], "a banner; what needs a heading is a module of its own"


def check(folders: list[Path]) -> list[str]:
    """What is found in the folders, as lines to print."""
    cloud = folders[0]
    seams, modules = read_seams(cloud / "seams.py")
    lines: list[str] = []
    used: set[tuple[str, str]] = set()
    texts: set[str] = set()
    computed: set[str] = set()
    for path in sorted({path for folder in folders for path in folder.rglob("*.py")}):
        tree = ast.parse(path.read_text())
        found = [*mood(tree), *banners(path)]
        if path == cloud / "seams.py":
            others = (one for node in tree.body if not isinstance(node, ast.Assign) for one in ast.walk(node))
            texts |= {one.attr if isinstance(one, ast.Attribute) else _text(one) or "" for one in others}
        elif path != cloud / "emulator.py":
            names = Names(seams, modules)
            names.visit(tree)
            found += names.findings
            used |= names.used
            texts |= names.texts
            computed |= names.computed
        lines += [f"{path}:{line}: {message}" for line, message in sorted(found)]
    for seam, entries in seams.items():
        for public, (mark, name) in entries.items():
            replaced = mark is not None and seam in computed
            if not ((seam, public) in used or {public, name.rpartition(".")[2]} & texts or replaced):
                lines.append(f"{cloud / 'seams.py'}: {name} of {modules[seam]} is listed, and nobody uses it")
    return lines


if __name__ == "__main__":
    faults = check([Path(argument) for argument in sys.argv[1:]])
    print("\n".join(faults))
    sys.exit(1 if faults else 0)
