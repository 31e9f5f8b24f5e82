import { existsSync, readFileSync } from 'node:fs';
import { scanRules } from '../core/scan/kinds.ts';
import type { NamedWaiver } from '../core/template/check.ts';
import { readWaiver } from '../core/template/cloudformation.ts';
import { templateRules } from '../core/template/rules/index.ts';
import { usageError } from './errors.ts';

const usualWaivers = 'rekey.waivers.json';

/**
 * Reads the file of waivers, which templates and scans share: each entry names a rule of either.
 * @param path - the file. @default - rekey.waivers.json, where there is one
 * @throws CliError `WaiversInvalid`
 */
export function waiversIn(path: string | undefined): readonly NamedWaiver[] {
  const file = path ?? usualWaivers;
  if (path === undefined && !existsSync(file)) return [];
  const invalid = (what: string) => usageError('WaiversInvalid', `${file}: ${what}`);
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw invalid('is not there, or is no JSON');
  }
  if (!Array.isArray(read)) throw invalid('must be a list of { rule, subject, reason, until? }');
  const known = new Set([
    ...templateRules.map(({ description }) => description.id),
    ...scanRules.map(({ id }) => id),
  ]);
  return read.map((entry: unknown, index) => {
    const waiver = readWaiver(entry);
    const subject = (entry as { readonly subject?: unknown } | null)?.subject;
    if (waiver === undefined || typeof subject !== 'string') {
      throw invalid(
        `entry ${index + 1} must have the texts rule, subject and reason, and until as YYYY-MM-DD if it ends`,
      );
    }
    if (!known.has(waiver.rule))
      throw invalid(`entry ${index + 1} names rule ${waiver.rule}, which does not exist`);
    return { ...waiver, subject };
  });
}
