import type { RotationFigures } from './rotation.ts';

/** The figures of one secret type. */
export interface TypeFigures {
  readonly type: string;
  readonly server: string;
  /** How long it takes to make the bundle. */
  readonly bundleMs: number;
  readonly zipBytes: number;
  /** Import of the bundle in a fresh process. */
  readonly loadMs: { readonly median: number; readonly min: number; readonly max: number };
  readonly rotations: readonly RotationFigures[];
}

/** What the figures must not exceed. Counts and sizes are also checked by tests, times are not. */
export const limits = {
  warmCallsSingleUser: 10,
  connectionsSingleUser: 3,
  zipBytes: 400 * 1024,
  loadMs: 150,
  refusedLoginsAlternatingUsers: 0,
} as const;

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
const total = (calls: Readonly<Record<string, number>>): number =>
  Object.values(calls).reduce((sum, count) => sum + count, 0);
const names = (calls: Readonly<Record<string, number>>): string =>
  Object.entries(calls)
    .map(([name, count]) => (count === 1 ? name : `${count} ${name}`))
    .join(', ');
const range = ({ median, min, max }: { median: number; min: number; max: number }): string =>
  `${ms(median)} (${ms(min)} to ${ms(max)})`;

/** The figures as text, one block per secret type. */
export function print(
  machine: { node: string; cores: number; delayMs: number },
  figures: readonly TypeFigures[],
): string {
  const lines = [
    `Node ${machine.node}, ${machine.cores} cores; every call to AWS takes ${machine.delayMs} ms. Times are medians.`,
  ];
  const row = (label: string, value: string, limit?: string) =>
    lines.push(`  ${label.padEnd(30)}${value}${limit === undefined ? '' : `  [at most ${limit}]`}`);
  for (const { type, server, zipBytes, loadMs, bundleMs, rotations } of figures) {
    lines.push('', `${type} on ${server}`);
    row('package, zipped', `${Math.ceil(zipBytes / 1024)} KiB`, `${limits.zipBytes / 1024} KiB`);
    row('bundling', ms(bundleMs));
    row('module load', range(loadMs), ms(limits.loadMs));
    for (const rotation of rotations) {
      const single = rotation.strategy === 'single-user';
      const { warmCalls, coldCalls, connections } = rotation;
      lines.push('', `  ${rotation.strategy}`);
      row(
        '  AWS calls, one environment',
        `${total(warmCalls)}: ${names(warmCalls)}`,
        single ? String(limits.warmCallsSingleUser) : undefined,
      );
      row('  AWS calls, four environments', `${total(coldCalls)}: ${names(coldCalls)}`);
      if (connections !== undefined) {
        row(
          '  connections to the target',
          String(connections),
          single ? String(limits.connectionsSingleUser) : undefined,
        );
      }
      row('  rotation, four warm steps', ms(rotation.warmMs));
      row(
        '  logins refused meanwhile',
        `${rotation.refusedLogins} of ${rotation.logins}`,
        rotation.strategy === 'alternating-users' ? String(limits.refusedLoginsAlternatingUsers) : undefined,
      );
      if (single) row('  AWSCURRENT does not log in for', range(rotation.deadMs));
    }
  }
  return `${lines.join('\n')}\n`;
}
