"""The script that runs inside a Node.js execution environment.

It is the emulator's own worker with the places changed that lose what AWS's runtime interface client reports; the
functions that report it are in lambda_worker.cjs.
"""

import functools
import json
from pathlib import Path

from cloud import seams

# Written to the log before each answer, so that the reader knows when the invocation's lines are complete.
MARK = "\u0000answered "

_REPORTS = Path(__file__).with_suffix(".cjs").resolve()

# What occurs once in the emulator's worker, and what takes its place.
_CHANGES = (
    (
        "const _realStdoutWrite = process.stdout.write.bind(process.stdout);",
        "const _answerWrite = process.stdout.write.bind(process.stdout);\n"
        "const _realStdoutWrite = (line) => _reports.answer(line);",
    ),
    (
        "let handlerFn = null;\n",
        "let handlerFn = null;\n"
        f"const _reports = require({json.dumps(str(_REPORTS))})({{\n"
        f"  mark: {json.dumps(MARK)},\n"
        "  writeLog: _stderrWrite,\n"
        "  writeAnswer: _answerWrite,\n"
        "  messageNumber: () => lineNum,\n"
        "});\n",
    ),
    (
        "    const ctx = msg.ctx || {};\n",
        "    const ctx = msg.ctx || {};\n    _reports.begins(ctx.request_id);\n",
    ),
    (
        "          _realStdoutWrite(JSON.stringify({\n"
        '            status: "error", error: String(err.message || err), trace: err.stack || ""\n'
        '          }) + "\\n");',
        "          _reports.failed(err);",
    ),
    (
        "      _realStdoutWrite(JSON.stringify({\n"
        '        status: "error", error: e.message, trace: e.stack\n'
        '      }) + "\\n");',
        "      _reports.failed(e);",
    ),
    (
        '        _realStdoutWrite(JSON.stringify({\n          status: "error", error: e.message\n        }) + "\\n");',
        "        _reports.notLoaded(e);",
    ),
    (
        "          _realStdoutWrite(JSON.stringify({\n"
        '            status: "error",\n'
        "            error: `Handler ${handlerName} is not a function in ${modPath}`\n"
        '          }) + "\\n");',
        "          _reports.noHandler(modPath, handlerName);",
    ),
    (
        "    _realStdoutWrite(JSON.stringify({\n"
        '      status: "error", error: "JSON parse error: " + e.message\n'
        '    }) + "\\n");',
        "    _reports.failed(e);",
    ),
)


@functools.cache
def script() -> str:
    """The worker's source. Raises when the emulator's worker is not the one these changes were made for."""
    source = seams.lambda_runtime.NODEJS_WORKER_SCRIPT
    for text, replacement in _CHANGES:
        if source.count(text) != 1:
            raise RuntimeError(
                "the emulator's Node.js worker has changed; expected once: " + text.strip().splitlines()[0]
            )
        source = source.replace(text, replacement)
    return source
