import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readManifestFiles } from '../../../cli/preflight/manifest-files.ts';
import type { ManifestReading, SecretReference } from '../../../core/preflight/reference.ts';

/** A reference as somebody who read the manifest wrote it down. */
interface Label {
  readonly secret: string;
  readonly key?: string;
  readonly region?: string;
  readonly account?: string;
  readonly versionStage?: string;
  readonly versionId?: string;
  /** ARN or name of the role that reads. */
  readonly role?: string;
  readonly environment?: string;
}

/** Everything that a manifest of the corpus holds. */
interface Labels {
  /** True for manifests that nobody looked at while the finders were made. @default false */
  readonly held?: boolean;
  readonly references: readonly Label[];
  /** Codes of the problems in it. */
  readonly problems?: readonly string[];
}

/** A manifest with what it holds and what was found in it. */
export interface Judged {
  readonly format: string;
  readonly file: string;
  readonly held: boolean;
  readonly found: readonly string[];
  readonly missed: readonly string[];
  readonly wrong: readonly string[];
  /** Roles and environments that were read otherwise than they are labelled. */
  readonly misread: readonly string[];
  readonly problems: readonly string[];
  readonly expectedProblems: readonly string[];
}

/** Folder of the corpus. */
export const corpus = join(import.meta.dirname, 'corpus');

/** Writes what must be the same for a reference to count as found. */
const identity = (one: Label | SecretReference): string =>
  [one.secret, one.key, one.versionStage, one.versionId, one.region, one.account]
    .map((part) => part ?? '')
    .join(' | ');

const details = (role: string | undefined, environment: string | undefined): string =>
  `role ${role ?? 'unknown'}, environment ${environment ?? 'unknown'}`;

/** Reads the whole corpus, each case by itself, and compares with the labels. */
export function judgeCorpus(): readonly Judged[] {
  const judged: Judged[] = [];
  for (const format of readdirSync(corpus).toSorted()) {
    const folder = join(corpus, format);
    const labels = JSON.parse(readFileSync(join(folder, 'labels.json'), 'utf8')) as Record<string, Labels>;
    const cases = new Set(Object.keys(labels).map((file) => file.split('/')[0] ?? file));
    for (const name of cases) {
      const { reading } = readManifestFiles([join(folder, name)]);
      for (const [file, expected] of Object.entries(labels)) {
        if (file.split('/')[0] === name) judged.push(judge(format, file, expected, reading));
      }
    }
  }
  return judged;
}

function judge(format: string, file: string, expected: Labels, reading: ManifestReading): Judged {
  const path = relative(process.cwd(), join(corpus, format, file));
  const references = reading.references.filter(({ place }) => place.file === path);
  const open = [...expected.references];
  const found: string[] = [];
  const wrong: string[] = [];
  const misread: string[] = [];
  for (const one of references) {
    const at = open.findIndex((label) => identity(label) === identity(one) && one.format === format);
    if (at === -1) {
      wrong.push(`${one.format}: ${identity(one)}`);
      continue;
    }
    const [label] = open.splice(at, 1);
    found.push(identity(one));
    const read = details(one.readBy?.roleArn ?? one.readBy?.roleName, one.environment);
    const told = details(label?.role, label?.environment);
    if (read !== told) misread.push(`${identity(one)}: ${read}, but ${told}`);
  }
  return {
    format,
    file,
    held: expected.held ?? false,
    found,
    missed: open.map(identity),
    wrong,
    misread,
    problems: reading.problems.filter(({ place }) => place.file === path).map(({ code }) => code),
    expectedProblems: expected.problems ?? [],
  };
}

/** Counts of references in some manifests. */
export interface Figures {
  readonly manifests: number;
  readonly found: number;
  readonly missed: number;
  readonly wrong: number;
}

/** Counts what was found, missed and wrongly found. */
export function figuresOf(judged: readonly Judged[]): Figures {
  const count = (of: (one: Judged) => readonly string[]): number =>
    judged.reduce((sum, one) => sum + of(one).length, 0);
  return {
    manifests: judged.length,
    found: count(({ found }) => found),
    missed: count(({ missed }) => missed),
    wrong: count(({ wrong }) => wrong),
  };
}
