"""Starts the emulator in place of the `ministack` command: `python -m cloud --directory DIR [--watch-stdin]`.

The environment holds the emulator's own settings (local/emulator/cloud.ts sets them); certificates are made here,
first.
"""

import argparse
import importlib
import os
import pkgutil
import signal
import sys
import threading
from pathlib import Path

import cloud
from cloud import certificates, snapshots


def _end_with_parent() -> None:
    """Ends this process and its Lambda workers when the starting process goes away, however it does."""

    def watch() -> None:
        # The other end of the pipe is held open by the parent alone, so end of file means that it is gone.
        while os.read(0, 4096):
            pass
        os.killpg(os.getpgrp(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


def _install_extensions() -> None:
    """Calls `install()` of every module of this package that has one; a module that fails stops the start."""
    for module in sorted(info.name for info in pkgutil.iter_modules(cloud.__path__)):
        if module == "__main__":
            continue
        install = getattr(importlib.import_module(f"cloud.{module}"), "install", None)
        if install is not None:
            install()


def main() -> None:
    parser = argparse.ArgumentParser(prog="cloud")
    parser.add_argument("--directory", type=Path, required=True, help="where this instance keeps its files")
    parser.add_argument("--instance", required=True, help="identifies this instance in the process list")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input is closed")
    arguments = parser.parse_args()
    if os.getpgrp() != os.getpid():
        sys.exit("The local cloud must lead its own process group, so that stopping it stops its Lambda workers.")
    if arguments.watch_stdin:
        _end_with_parent()
    certificate, key = certificates.issue(arguments.directory / "certificates")
    os.environ["MINISTACK_SSL_CERT"] = str(certificate)
    os.environ["MINISTACK_SSL_KEY"] = str(key)

    snapshots.compile_loops()

    # Imported only now: the emulator reads its settings from the environment when it is imported, and loops are changed
    # in what is compiled from here on.
    from ministack import app  # noqa: PLC0415

    from cloud import emulator, seams  # noqa: PLC0415

    emulator.verify()
    # The emulator also takes port 443 where it may; two local clouds, or a web server, must not meet there.
    seams.app.replace(port_is_bindable=lambda host, port: False)
    _install_extensions()
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
