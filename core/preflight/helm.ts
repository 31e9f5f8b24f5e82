import { type ManifestFile, objectOf, textOf } from './document.ts';

/**
 * Puts values of the chart in the place of Helm's actions that name one: `.Values.a.b`, also with `default` or `quote`. Others stay
 * as marks, which every reader takes for open.
 */
function rendered(text: string, { actions }: ManifestFile, values: unknown): string {
  return text.replaceAll(
    /__action_(\d{1,6})__/g,
    (whole, index: string) => chartValue(actions[Number(index)] ?? '', values) ?? whole,
  );
}

const chain =
  /^\.Values\.([\w.]{1,300})\s*(?:\|\s*default\s+"([^"]{0,300})"\s*)?(?:\|\s*(?:quote|squote|trim|toString)\s*)?$/;

function chartValue(action: string, values: unknown): string | undefined {
  const [, path = '', otherwise] = chain.exec(action) ?? [];
  if (path === '') return undefined;
  const found = textOf(path.split('.').reduce<unknown>((at, name) => objectOf(at)[name], values));
  return found === undefined || found === '' ? otherwise : found;
}

/** Renders every text of a value. */
export function renderedIn(value: unknown, file: ManifestFile, values: unknown): unknown {
  if (file.actions.length === 0) return value;
  if (typeof value === 'string') return rendered(value, file, values);
  if (Array.isArray(value)) return value.map((item) => renderedIn(item, file, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, renderedIn(item, file, values)]),
  );
}
