import { type Command, CommanderError } from 'commander';
import { codes } from '../core/errors/codes.ts';
import type { Chosen, CliContext } from './context.ts';
import { CliError, usageError } from './errors.ts';
import { blameProfile, explain } from './failure.ts';
import { asJson, Output, printableLines } from './output.ts';
import { createProgram, type GlobalOptions } from './program.ts';
import { usageFault } from './usage.ts';

/** The command line, read: what to run, or what to say instead. */
type Reading =
  | {
      readonly kind: 'command';
      readonly chosen: Chosen;
      readonly options: GlobalOptions;
      readonly name: string;
    }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'error'; readonly error: CliError; readonly text: string };

/**
 * Runs one command. Results go to `context.stdout`, everything else to `context.stderr`, both as they arise.
 *
 * @param argv - the arguments behind the program's name
 * @returns the exit code, or the status of the process that the command has run; never throws
 * @example
 * process.exitCode = await run(process.argv.slice(2), context);
 */
export async function run(argv: readonly string[], context: CliContext): Promise<number> {
  // What stands behind -- is the command of rekey exec, and its own business.
  const wantsJson = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  const reading = read(argv, context);
  if (reading.kind === 'help') {
    context.stdout.write(reading.text);
    return 0;
  }
  if (reading.kind === 'error') {
    if (wantsJson) {
      context.stdout.write(errorDocument(reading.error));
    } else {
      context.stderr.write(reading.text);
    }
    return reading.error.exitCode;
  }
  const { chosen, options, name } = reading;
  const output = new Output(context.stdout, context.stderr, {
    json: options.json === true,
    colour: options.color && !context.variables.NO_COLOR && context.variables.TERM !== 'dumb',
  });
  const environment = options.environment ?? context.variables.REKEY_ENVIRONMENT;
  try {
    const cloud = await context.connect({
      ...(options.region !== undefined && { region: options.region }),
      ...(options.profile !== undefined && { profile: options.profile }),
    });
    return await chosen({
      context,
      output,
      cloud,
      ...(environment !== undefined && environment !== '' && { environment }),
    });
  } catch (error) {
    const profile = options.profile ?? context.variables.AWS_PROFILE;
    const failure = ofCommand(name, await blameProfile(explain(error), profile, context.profiles));
    output.clearProgress();
    if (options.json) {
      context.stdout.write(errorDocument(failure));
    } else {
      // The problems of a configuration come a line each; any other message is one, whatever it quotes.
      const lines = Object.hasOwn(codes.deployment, failure.code)
        ? failure.message.split('\n')
        : [failure.message];
      for (const [index, line] of lines.entries()) {
        output.note(index === 0 ? `rekey: ${failure.code}: ${line}` : line, 'bad');
      }
    }
    return failure.exitCode;
  }
}

function read(argv: readonly string[], context: CliContext): Reading {
  let command: Extract<Reading, { kind: 'command' }> | undefined;
  let out = '';
  let errors = '';
  const program = createProgram(context.version, (chosen, options, name) => {
    command = { kind: 'command', chosen, options, name };
  });
  let stopped = program;
  each(program, (one) =>
    one
      .exitOverride((error) => {
        stopped = one;
        throw error;
      })
      .configureOutput({
        writeOut: (text) => {
          out += text;
        },
        writeErr: (text) => {
          errors += text;
        },
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      }),
  );
  try {
    program.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) {
      return { kind: 'help', text: out };
    }
    if (!(error instanceof CommanderError)) {
      const failure = ofCommand(stopped.name(), explain(error));
      return {
        kind: 'error',
        error: failure,
        text: printableLines(`rekey: ${failure.code}: ${failure.message}\n`),
      };
    }
    const { message, text } = usageFault(program, stopped, error);
    return {
      kind: 'error',
      error: ofCommand(stopped.name(), usageError('UsageInvalid', message)),
      text: printableLines(errors.replace(error.message, () => `error: ${text}`)),
    };
  }
  if (command === undefined) {
    return { kind: 'error', error: usageError('UsageInvalid', 'no command was given'), text: errors };
  }
  const operands = program.commands.find((one) => one.name() === 'exec')?.args.length ?? 0;
  const behind = argv.indexOf('--') === -1 ? 0 : argv.length - argv.indexOf('--') - 1;
  if (command.name === 'exec' && operands !== behind) {
    // Options of the other command would be read as options of this one, and a -- of its own would be lost.
    const message = 'the command must stand behind --: rekey exec --secret <reference> -- <command>';
    const error = ofCommand('exec', usageError('UsageInvalid', message));
    return { kind: 'error', error, text: `error: ${message}\n` };
  }
  return command;
}

/** Gives failures of `rekey exec` a code that its command's status is not taken for. */
function ofCommand(name: string, failure: CliError): CliError {
  if (name !== 'exec' || failure.exitCode >= 125) return failure;
  const { code, message, cause, action } = failure;
  return new CliError(125, code, message, { cause, ...(action !== undefined && { action }) });
}

function each(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) {
    each(child, visit);
  }
}

/** Writes an error as a document, of the same shape for every command. */
function errorDocument({ code, message, exitCode, action, retryable }: CliError): string {
  return `${asJson({ error: { code, message, exitCode, action: action ?? null, retryable } }, 2)}\n`;
}
