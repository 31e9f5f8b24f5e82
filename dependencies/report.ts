import type { Advisory } from './advisories.ts';
import { isPermitted } from './licences.ts';
import type { Known } from './registry.ts';
import { isShipped, type Locked } from './shipped.ts';

/** A package that the audit lists, with all that is known of it. */
export interface Row {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  /** Place of the package: a bundle, only the installation of the CLI and the constructs, or only development. */
  readonly in: 'bundles' | 'installation' | 'development';
  readonly ageDays?: number;
  readonly newestOfMajor?: string;
  readonly latest?: string;
  /** Licence that the package's own package.json names. */
  readonly licence?: string;
  readonly deprecated?: string;
  readonly advisories: readonly string[];
}

/** A reason for which the audit fails. */
export interface Problem {
  readonly path: string;
  readonly kind: 'vulnerability' | 'deprecated' | 'hash' | 'licence';
  readonly text: string;
}

/** The facts that the audit found out. */
export interface Facts {
  readonly locked: readonly Locked[];
  /** Names of the direct development dependencies. */
  readonly development: readonly string[];
  /** Folders of the packages in the bundles. */
  readonly bundled: readonly string[];
  /** Facts of the registry, by path. */
  readonly known: ReadonlyMap<string, Known>;
  /** Licences that the packages' own package.json name, by path. */
  readonly licences: ReadonlyMap<string, string | undefined>;
  readonly advisories: readonly Advisory[];
  readonly now: Date;
}

const dayMs = 86_400_000;

/** Selects the packages that are listed: all that is shipped, and the direct development dependencies. */
export function listed({ locked, development, bundled }: Pick<Facts, 'locked' | 'development' | 'bundled'>) {
  const direct = new Set(development.map((name) => `node_modules/${name}`));
  return locked
    .filter((one) => isShipped(one) || bundled.includes(one.path) || direct.has(one.path))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.path < b.path ? -1 : 1));
}

/** Makes the rows of the audit, by name. */
export function rows(facts: Facts): Row[] {
  return listed(facts).map((one) => {
    const { published, newestOfMajor, latest, deprecated = one.deprecated } = facts.known.get(one.path) ?? {};
    const licence = facts.licences.get(one.path);
    return {
      name: one.name,
      version: one.version ?? '',
      path: one.path,
      in: facts.bundled.includes(one.path) ? 'bundles' : isShipped(one) ? 'installation' : 'development',
      ...(published !== undefined && {
        ageDays: Math.floor((facts.now.getTime() - published.getTime()) / dayMs),
      }),
      ...(newestOfMajor !== undefined && { newestOfMajor }),
      ...(latest !== undefined && { latest }),
      ...(licence !== undefined && { licence }),
      ...(deprecated !== undefined && { deprecated }),
      advisories: facts.advisories.filter(({ path }) => path === one.path).map(({ text }) => text),
    };
  });
}

/** Names everything for which the audit fails: of what is shipped, and hashes of all. */
export function problems(facts: Facts): Problem[] {
  const shipped = rows(facts).filter((row) => row.in !== 'development');
  const locked = new Map(facts.locked.map((one) => [one.path, one]));
  return [
    ...shipped.flatMap(({ path, advisories }) =>
      advisories.map((text): Problem => ({ path, kind: 'vulnerability', text })),
    ),
    ...shipped.flatMap(({ path, deprecated }): Problem[] =>
      deprecated === undefined ? [] : [{ path, kind: 'deprecated', text: deprecated }],
    ),
    // What lies inside of another package came under that one's hash.
    ...facts.locked
      .filter(({ integrity, inBundle }) => inBundle !== true && !/^sha512-/.test(integrity ?? ''))
      .map(({ path }): Problem => ({ path, kind: 'hash', text: 'the lock file has no sha512 of it' })),
    ...shipped.flatMap(({ path, licence }): Problem[] => {
      const inLock = locked.get(path)?.license;
      if (licence !== inLock) {
        const text = `its package.json says ${licence ?? 'nothing'}, the lock file ${inLock ?? 'nothing'}`;
        return [{ path, kind: 'licence', text }];
      }
      return isPermitted(licence) ? [] : [{ path, kind: 'licence', text: `${licence} is not permitted` }];
    }),
  ];
}

/** Writes the rows as a table for a terminal. */
export function table(all: readonly Row[]): string {
  const lines = [
    ['package', 'version', 'in', 'days', 'newest of major', 'newest', 'licence', ''],
    ...all.map((row) => [
      row.name,
      row.version,
      row.in,
      row.ageDays === undefined ? '?' : String(row.ageDays),
      row.newestOfMajor === row.version ? '=' : (row.newestOfMajor ?? '?'),
      row.latest === row.version ? '=' : (row.latest ?? '?'),
      row.licence ?? '?',
      [
        ...(row.advisories.length === 0 ? [] : ['ADVISORY']),
        ...(row.deprecated === undefined ? [] : ['DEPRECATED']),
      ].join(' '),
    ]),
  ];
  const widths = (lines[0] ?? []).map((_, column) =>
    Math.max(...lines.map((cells) => (cells[column] ?? '').length)),
  );
  return lines
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
