"""The script that runs inside a Node.js execution environment.

It is the emulator's own worker with the places changed that lose what AWS's
runtime interface client reports (name, message and stack of an error, the end
of an invocation's log, a crash outside the handler):
https://github.com/aws/aws-lambda-nodejs-runtime-interface-client (src/Errors.js, src/index.mjs)
"""

import functools
import json

from ministack.core import lambda_runtime

# Written to the log before each answer, so that the reader knows when the invocation's lines are complete.
MARK = "\u0000answered "

_PRELUDE = r"""
let _requestId = "";
function _failure(error) {
  try {
    if (require("util").types.isNativeError(error) || (error && error.name && error.message && error.stack)) {
      return {
        errorType: error.name,
        errorMessage: error.message,
        trace: String(error.stack || "").split("\n"),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch (_) {
    return {
      errorType: "handled",
      errorMessage: "callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack",
      trace: [],
    };
  }
}
function _plain(_key, value) {
  if (!(value instanceof Error)) return value;
  const plain = Object.assign({ errorType: value.name, errorMessage: value.message, code: value.code }, value);
  if (typeof value.stack === "string") plain.stack = value.stack.split("\n");
  return plain;
}
function _logFailure(title, error) {
  let text;
  try { text = JSON.stringify(error, _plain); } catch (_) { text = JSON.stringify(_failure(error)); }
  _stderrWrite(new Date().toISOString() + "\t" + _requestId + "\tERROR\t" + title + " \t" + text + "\n");
}
function _failed(error, title, fatal) {
  _logFailure(title || "Invoke Error", error);
  _realStdoutWrite(JSON.stringify({ status: "error", failure: _failure(error), fatal: fatal === true }) + "\n");
}
process.on("uncaughtException", (error) => {
  _failed(error, "Uncaught Exception", true);
  process.exit(129);
});
process.on("unhandledRejection", (reason) => {
  const error = new Error(reason instanceof Error ? reason.toString() : String(reason), { cause: reason });
  error.name = "Runtime.UnhandledPromiseRejection";
  error.reason = reason;
  _failed(error, "Unhandled Promise Rejection", true);
  process.exit(128);
});
"""

# (text of the emulator's worker, how often it occurs, replacement)
_CHANGES = (
    ("const _realStdoutWrite = process.stdout.write.bind(process.stdout);", 1,
     "const _answerWrite = process.stdout.write.bind(process.stdout);\n"
     "const _realStdoutWrite = (text) => {\n"
     f"  _stderrWrite({json.dumps(MARK)} + lineNum + \"\\n\");\n"
     "  return _answerWrite(lineNum + \" \" + text);\n"
     "};"),
    ("let handlerFn = null;\n", 1, "let handlerFn = null;\n" + _PRELUDE),
    ("    const ctx = msg.ctx || {};\n", 1, "    const ctx = msg.ctx || {};\n    _requestId = ctx.request_id || \"\";\n"),
    ('          _realStdoutWrite(JSON.stringify({\n'
     '            status: "error", error: String(err.message || err), trace: err.stack || ""\n'
     '          }) + "\\n");', 1, "          _failed(err);"),
    ('      _realStdoutWrite(JSON.stringify({\n'
     '        status: "error", error: e.message, trace: e.stack\n'
     '      }) + "\\n");', 1, "      _failed(e);"),
    ('        _realStdoutWrite(JSON.stringify({\n'
     '          status: "error", error: e.message\n'
     '        }) + "\\n");', 1, "        _failed(_initError(e), \"Uncaught Exception\", true);"),
    ('          _realStdoutWrite(JSON.stringify({\n'
     '            status: "error",\n'
     '            error: `Handler ${handlerName} is not a function in ${modPath}`\n'
     '          }) + "\\n");', 1,
     '          const missing = new Error(`${modPath}.${handlerName} is undefined or not exported`);\n'
     '          missing.name = "Runtime.HandlerNotFound";\n'
     '          _failed(missing, "Uncaught Exception", true);'),
    ('    _realStdoutWrite(JSON.stringify({\n'
     '      status: "error", error: "JSON parse error: " + e.message\n'
     '    }) + "\\n");', 1, "    _failed(e);"),
)

_INIT_ERROR = r"""
function _initError(error) {
  if (error instanceof SyntaxError) error.name = "Runtime.UserCodeSyntaxError";
  else if (error && (error.code === "MODULE_NOT_FOUND" || error.code === "ERR_MODULE_NOT_FOUND")) {
    error.name = "Runtime.ImportModuleError";
  }
  return error;
}
"""


@functools.cache
def script() -> str:
    """The worker's source. Raises when the emulator's worker is not the one these changes were made for."""
    source = lambda_runtime._NODEJS_WORKER_SCRIPT
    for text, count, replacement in _CHANGES:
        if source.count(text) != count:
            raise RuntimeError("the emulator's Node.js worker has changed; expected once: " + text.strip().splitlines()[0])
        source = source.replace(text, replacement)
    return source + _INIT_ERROR
