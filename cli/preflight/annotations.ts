import type { ProofFinding } from '../../core/preflight/prove.ts';

const commands = { error: 'error', warning: 'warning', info: 'notice' } as const;

/** Escapes what ends a line, or begins another escape. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');

/** Escapes what ends a property as well. */
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');

/** Characters that a terminal obeys; of those, only ends of lines have an escape. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones to be kept out
const controls = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;
const printable = (text: string): string => text.replace(controls, '\ufffd');

/**
 * Writes findings as annotations of GitHub Actions, a line each. Text of a manifest can start no command of its own.
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
 * @see https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts (the escapes)
 */
export const annotations = (findings: readonly ProofFinding[]): string =>
  findings
    .map(({ check, severity, place, subject, message, fix }) => {
      const properties = [
        `file=${property(printable(place.file))}`,
        ...(place.line === undefined ? [] : [`line=${place.line}`]),
        `title=${property(check)}`,
      ].join(',');
      return `::${commands[severity]} ${properties}::${data(printable(`${subject}: ${message}. To do: ${fix}.`))}\n`;
    })
    .join('');
