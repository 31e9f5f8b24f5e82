import { near } from '../../core/suggest.ts';
import { changes } from './changes.ts';

/** A setting that a newer form of the configuration has dropped or moved. */
export interface Move {
  /** Path below an environment, as in {@link changes}: `*` stands for any key. */
  readonly from: string;
  /** Text on what a person has to write instead, with the reason. */
  readonly to: string;
}

/**
 * Changes that each form of the configuration made to the one before; the first entry leads to form 2. Whoever removes, renames
 * or retypes a setting adds one, and `rekey config migrate` names it to those who have it. None is ever taken out.
 */
export const forms: readonly (readonly Move[])[] = [];

/** A setting of an older form, where it stands. */
export interface Outdated {
  readonly path: readonly string[];
  readonly to: string;
}

/** Reads the form that a configuration says it is of. One that says nothing is of the first. */
export function formOf(input: unknown): number {
  const form = typeof input === 'object' && input !== null && 'form' in input ? input.form : undefined;
  return typeof form === 'number' && Number.isInteger(form) && form > 0 ? form : 1;
}

/** Gives the number of the form that this version takes. */
export const newestForm = (all: readonly (readonly Move[])[] = forms): number => all.length + 1;

/** Explains why a configuration of this form cannot be used; undefined when it can. */
export function formProblem(input: unknown, all = forms): string | undefined {
  const [form, newest] = [formOf(input), newestForm(all)];
  if (form === newest) return undefined;
  return form < newest
    ? `the configuration is of form ${form}, and this version of Rekey takes form ${newest}: rekey config migrate names each line to change`
    : `the configuration is of form ${form}, and this version of Rekey takes form ${newest}: update Rekey, or take the line \`form\` back with what was changed for it`;
}

/** Finds every setting that a newer form has changed, where the configuration has it. */
export function outdated(input: unknown, all = forms): readonly Outdated[] {
  return all
    .slice(formOf(input) - 1)
    .flat()
    .flatMap(({ from, to }) =>
      placesOf(input, ['environments', '*', ...from.split('.')]).map((path) => ({ path, to })),
    );
}

function placesOf(value: unknown, [key, ...rest]: readonly string[]): readonly (readonly string[])[] {
  if (key === undefined) return value === undefined ? [] : [[]];
  if (typeof value !== 'object' || value === null) return [];
  const keys = key === '*' ? Object.keys(value) : Object.hasOwn(value, key) ? [key] : [];
  return keys.flatMap((each) => placesOf(Reflect.get(value, each), rest).map((path) => [each, ...path]));
}

/** Suggests the settings that somebody may have meant who wrote one that does not exist. */
export function meant(path: readonly PropertyKey[], key: string): readonly string[] {
  const above = path.slice(2).map(String);
  const known = Object.keys(changes)
    .map((field) => field.split('.'))
    .filter((parts) => above.every((part, index) => parts[index] === '*' || parts[index] === part))
    .flatMap((parts) => parts[above.length] ?? []);
  return near(
    key,
    [...new Set(known)].filter((name) => name !== '*'),
    1,
  );
}
