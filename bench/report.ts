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
  /** Processor time of that import; median. */
  readonly loadCpuMs: number;
  /** Import of a bundle that holds Secrets Manager's client and nothing else, measured by turns; median. */
  readonly referenceLoadMs: number;
  readonly rotations: readonly RotationFigures[];
}

/** What the figures were measured on. */
export interface Machine {
  readonly node: string;
  readonly cores: number;
  /** Processes that wanted a core at the end, the bench's own included; above `cores`, times are too long. */
  readonly load: number;
  readonly delayMs: number;
}

/** What the figures must not exceed. Counts and sizes are also checked by tests, times are not. */
export const limits = {
  warmCallsSingleUser: 10,
  connectionsSingleUser: 3,
  zipBytes: 500 * 1024,
  loadMs: 150,
  refusedLoginsAlternatingUsers: 0,
} as const;

/**
 * The calls between the change at the target and the move of AWSCURRENT that the four steps cannot do without:
 * `DescribeSecret` for the guards of test and of finish, and `UpdateSecretVersionStage`.
 */
const callsBeforeMove = 3;

const ratio = (value: number, of: number): string => `${(value / of).toFixed(2)}x`;
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
export function print(machine: Machine, figures: readonly TypeFigures[]): string {
  const lines = [
    `Node ${machine.node}, ${machine.cores} cores at load ${machine.load.toFixed(1)}; every call to AWS takes ${machine.delayMs} ms. Times are medians.`,
  ];
  const row = (label: string, value: string, limit?: string) =>
    lines.push(`  ${label.padEnd(34)}${value}${limit === undefined ? '' : `  [at most ${limit}]`}`);
  for (const { type, server, zipBytes, loadMs, bundleMs, rotations, ...load } of figures) {
    lines.push('', `${type} on ${server}`);
    row('package, zipped', `${Math.ceil(zipBytes / 1024)} KiB`, `${limits.zipBytes / 1024} KiB`);
    row('bundling', ms(bundleMs));
    row('module load', range(loadMs), ms(limits.loadMs));
    row('  of it processor time', ms(load.loadCpuMs));
    row('  to SDK client alone', ratio(loadMs.median, load.referenceLoadMs));
    for (const rotation of rotations) {
      const single = rotation.strategy === 'single-user' && !rotation.issued;
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
      if (single) {
        row('  AWSCURRENT refused for', range(rotation.deadMs));
        const least = callsBeforeMove * machine.delayMs + rotation.loginMs;
        row('    to the least there can be', `${ratio(rotation.deadMs.median, least)} of ${ms(least)}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
