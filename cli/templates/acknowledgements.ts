import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NamedWaiver } from '../../core/template/check.ts';
import { pathOfConstruct } from '../../core/template/template.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.filter(isObject) : []);

/** Prefix of the ids under which an app acknowledges the rules. */
const prefix = 'Rekey::';

/** Notes that the CDK leaves beside a template on its constructs. */
export interface StackNotes {
  /** Finds the path of the construct of an output or a parameter. */
  readonly pathOf: (id: string) => string | undefined;
  /** Acknowledgements in the app's code. */
  readonly acknowledged: readonly NamedWaiver[];
}

/**
 * Reads the notes of the CDK on a stack: paths of constructs, and rules that the app acknowledges. Acknowledgements
 * on a stack or below it stand in `<stack>.metadata.json`, and those above in the report of the plugin, if the app has it.
 */
export function notesOf(templatePath: string): StackNotes {
  if (!templatePath.endsWith('.template.json')) return { pathOf: () => undefined, acknowledged: [] };
  const notes = readJson(templatePath.replace(/\.template\.json$/, '.metadata.json'));
  const entries = Object.entries(isObject(notes) ? notes : {}).flatMap(([path, listed]) =>
    listOf(listed).map(({ type, data }) => ({ path: path.replace(/^\//, ''), type, data })),
  );
  const paths = new Map(
    entries.filter(({ type }) => type === 'aws:cdk:logicalId').map(({ path, data }) => [String(data), path]),
  );
  const acknowledged = entries
    .filter(({ type }) => type === 'aws:cdk:acknowledged-rules')
    .flatMap(({ path, data }) =>
      Object.entries(isObject(data) ? data : {})
        .filter(([id]) => id.startsWith(prefix))
        .map(([id, reason]) => ({
          rule: id.slice(prefix.length),
          subject: pathOfConstruct(path),
          reason: String(reason),
          below: true,
        })),
    );
  return {
    pathOf: (id) => paths.get(id),
    acknowledged: [...acknowledged, ...inReport(join(dirname(templatePath), 'validation-report.json'))],
  };
}

function inReport(path: string): readonly NamedWaiver[] {
  const report = readJson(path);
  return listOf(isObject(report) ? report.pluginReports : undefined)
    .filter(({ pluginName }) => pluginName === 'Rekey')
    .flatMap(({ suppressedViolations }) => listOf(suppressedViolations))
    .flatMap(({ ruleName, reason, violatingConstructs }) =>
      listOf(violatingConstructs).map(({ constructPath }) => ({
        rule: String(ruleName),
        subject: pathOfConstruct(String(constructPath)),
        reason: String(reason ?? ''),
      })),
    );
}

function readJson(path: string): unknown {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
