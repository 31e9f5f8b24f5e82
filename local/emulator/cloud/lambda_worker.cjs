/**
 * What the emulator's worker for Node.js reports, as AWS's runtime interface client does: name, message and stack of an
 * error, a crash outside of the handler, the end of an invocation's log. lambda_worker.py has that worker call it.
 * @see https://github.com/aws/aws-lambda-nodejs-runtime-interface-client (src/Errors.js, src/index.mjs)
 */

/** An error as Lambda's answer has it. */
function failureOf(error) {
  try {
    if (require('node:util').types.isNativeError(error) || (error?.name && error.message && error.stack)) {
      return {
        errorType: error.name,
        errorMessage: error.message,
        trace: String(error.stack || '').split('\n'),
      };
    }
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  } catch (_) {
    return {
      errorType: 'handled',
      errorMessage:
        'callback called with Error argument, but there was a problem while retrieving one or more of its ' +
        'message, name, and stack',
      trace: [],
    };
  }
}

/** For JSON.stringify: an error as the log has it. */
function withPlainErrors(_key, value) {
  if (!(value instanceof Error)) return value;
  const plain = Object.assign(
    { errorType: value.name, errorMessage: value.message, code: value.code },
    value,
  );
  if (typeof value.stack === 'string') plain.stack = value.stack.split('\n');
  return plain;
}

/**
 * @param mark - is written to the log before each answer, with the number of the message that is answered
 * @param writeLog - writes to the log
 * @param writeAnswer - writes a line to who sent the message
 * @param messageNumber - tells the number of the message that is being answered
 */
module.exports = ({ mark, writeLog, writeAnswer, messageNumber }) => {
  let requestId = '';

  function answer(line) {
    writeLog(`${mark}${messageNumber()}\n`);
    return writeAnswer(`${messageNumber()} ${line}`);
  }

  function failed(error, title = 'Invoke Error', fatal = false) {
    let text;
    try {
      text = JSON.stringify(error, withPlainErrors);
    } catch (_) {
      text = JSON.stringify(failureOf(error));
    }
    writeLog(`${new Date().toISOString()}\t${requestId}\tERROR\t${title} \t${text}\n`);
    answer(`${JSON.stringify({ status: 'error', failure: failureOf(error), fatal })}\n`);
  }

  process.on('uncaughtException', (error) => {
    failed(error, 'Uncaught Exception', true);
    process.exit(129);
  });
  process.on('unhandledRejection', (reason) => {
    const error = new Error(reason instanceof Error ? reason.toString() : String(reason), { cause: reason });
    error.name = 'Runtime.UnhandledPromiseRejection';
    error.reason = reason;
    failed(error, 'Unhandled Promise Rejection', true);
    process.exit(128);
  });

  return {
    answer,
    failed,
    /** An invocation begins. */
    begins(id) {
      requestId = id || '';
    },
    /** The function's module could not be loaded. */
    notLoaded(error) {
      if (error instanceof SyntaxError) error.name = 'Runtime.UserCodeSyntaxError';
      else if (error && (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND')) {
        error.name = 'Runtime.ImportModuleError';
      }
      failed(error, 'Uncaught Exception', true);
    },
    /** The function's module has no such handler. */
    noHandler(module, handler) {
      const error = new Error(`${module}.${handler} is undefined or not exported`);
      error.name = 'Runtime.HandlerNotFound';
      failed(error, 'Uncaught Exception', true);
    },
  };
};
