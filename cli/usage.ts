import type { Command, CommanderError } from 'commander';
import { near } from '../core/suggest.ts';

/** Lists every command below one, as its words joined by a slash. */
const pathsBelow = (command: Command): string[] =>
  command.commands.flatMap((child) => [
    child.name(),
    ...pathsBelow(child).map((path) => `${child.name()}/${path}`),
  ]);

/** Names the commands that somebody may have meant, in full, wherever they are. */
function unknownCommand(program: Command, [word = '']: readonly string[]): string {
  const meant = near(word, [...pathsBelow(program), 'help']).map(
    (path) => `"${program.name()} ${path.replaceAll('/', ' ')}"`,
  );
  const hint = meant.length === 0 ? '' : `; did you mean ${meant.join(' or ')}?`;
  return `unknown command '${word}'${hint}`;
}

/** An argument or option that a command needs, as its help shows it. */
type Need = readonly [term: string, description: string];

/** Lists the arguments and options that a command needs and was not given. */
function missing(command: Command): readonly Need[] {
  const names = command.registeredArguments
    .filter(({ required }, index) => required && command.args[index] === undefined)
    .map((argument): Need => [`<${argument.name()}>`, argument.description]);
  const options = command.options
    .filter((option) => option.mandatory && command.getOptionValue(option.attributeName()) === undefined)
    .map(({ flags, description }): Need => [flags.replace(/^-\w, /, ''), description]);
  return [...names, ...options];
}

/** Names a command with the words that lead to it. */
const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;

/** An error of usage, on one line for machines and as a person reads it. */
interface UsageFault {
  readonly message: string;
  readonly text: string;
}

/** Names all that is missing at once, with what the help says of it. */
function incomplete(command: Command): UsageFault {
  const needs = missing(command);
  const what = `${nameOf(command)} needs`;
  const help = command.createHelp();
  const width = Math.max(...needs.map(([term]) => term.length));
  return {
    message: `${what} ${needs.map(([term, description]) => `${term} (${description})`).join(', ')}`,
    text: [what, ...needs.map(([term, description]) => help.formatItem(term, width, description, help))].join(
      '\n',
    ),
  };
}

/**
 * Says what is wrong with a command line, where that can be said better than commander does.
 * @param program - the whole of the command line
 * @param command - the command that commander stopped at
 */
export function usageFault(program: Command, command: Command, error: CommanderError): UsageFault {
  switch (error.code) {
    case 'commander.missingArgument':
    case 'commander.missingMandatoryOptionValue':
      return incomplete(command);
    case 'commander.help':
      return oneLine('a command is missing; --help lists them');
    case 'commander.unknownCommand':
      return oneLine(unknownCommand(program, command.args));
    default:
      return oneLine(error.message.replace(/^error: /, ''));
  }
}

const oneLine = (text: string): UsageFault => ({ message: text.replaceAll('\n', ' '), text });
