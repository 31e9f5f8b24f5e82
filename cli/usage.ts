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

/**
 * Says what is wrong with a command line, where that can be said better than commander does.
 * @param program - the whole of the command line
 * @param command - the command that commander stopped at
 */
export function usageMessage(program: Command, command: Command, error: CommanderError): string {
  switch (error.code) {
    case 'commander.help':
      return 'a command is missing; --help lists them';
    case 'commander.unknownCommand':
      return unknownCommand(program, command.args);
    default:
      return error.message.replace(/^error: /, '');
  }
}
