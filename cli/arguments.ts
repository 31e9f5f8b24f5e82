import { InvalidArgumentError } from 'commander';
import { parseDuration } from './time.ts';

/** Characters that records have room for. */
const longestReason = 1_024;

/** Reads why somebody does something, which goes into the audit log. */
export function why(given: string): string {
  if (given.length > longestReason) {
    throw new InvalidArgumentError(
      `It must have at most ${longestReason} characters, and has ${given.length}.`,
    );
  }
  return text(given);
}

export const text = (value: string): string => {
  if (value.trim() === '') {
    throw new InvalidArgumentError('It must not be empty.');
  }
  return value;
};

export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text(value),
];

export const duration = (value: string): string => {
  parseDuration(value, 'duration');
  return value;
};

export const days = (value: string): number => {
  const read = Number(value);
  if (!Number.isInteger(read) || read < 1 || read > 999) {
    throw new InvalidArgumentError('It must be a whole number of days from 1 to 999.');
  }
  return read;
};

export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
