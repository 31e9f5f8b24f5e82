import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../lib/function/bundle.ts';
import type { OwnManifest } from './manifest.ts';

/** One version in the changelog. */
export interface Entry {
  readonly version: string;
  /** The day of its release, such as `2026-12-24`, or `unreleased`. */
  readonly date: string;
  /** Changes, in Markdown. */
  readonly notes: string;
}

/** Reads the versions of a changelog, the newest first as they stand there. */
export const entriesOf = (changelog: string): Entry[] =>
  changelog.split(/^## /m).flatMap((section) => {
    const [, version, date, notes] = /^(\S+) - (\S+)\n(.*)$/s.exec(section) ?? [];
    if (version === undefined || date === undefined || notes === undefined) return [];
    return [{ version, date, notes: notes.trim() }];
  });

/** A commit that is to be released, as a release looks at it before it builds anything. */
export interface Candidate {
  /** Such as `v1.2.0`. */
  readonly tag: string;
  /** Place of the commit, such as `https://github.com/owner/name`. */
  readonly repository: string;
  readonly manifest: OwnManifest;
  readonly changelog: string;
}

/** Names all that keeps a commit from being released under its tag. */
export function obstacles({ tag, repository, manifest, changelog }: Candidate): string[] {
  const { version } = manifest;
  const [newest] = entriesOf(changelog);
  const named = manifest.repository?.url.replace(/^git\+|\.git$/g, '');
  return [
    ...(tag === `v${version}` ? [] : [`the tag is ${tag}, and the version in package.json is ${version}`]),
    ...(newest?.version === version
      ? []
      : [`the newest version in CHANGELOG.md is ${newest?.version ?? 'missing'}, not ${version}`]),
    ...(newest === undefined || /^\d{4}-\d\d-\d\d$/.test(newest.date)
      ? []
      : [`CHANGELOG.md says ${newest.date} where the day of the release belongs`]),
    // npm refuses a provenance that names another repository than the package does.
    ...(named === repository
      ? []
      : [`"repository" in package.json is ${named ?? 'missing'}, and the release runs in ${repository}`]),
  ];
}

if (import.meta.main) {
  const [tag = '', repository = ''] = process.argv.slice(2);
  const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8');
  const changelog = read('CHANGELOG.md');
  const found = obstacles({ tag, repository, manifest: JSON.parse(read('package.json')), changelog });
  for (const obstacle of found) process.stderr.write(`${obstacle}\n`);
  if (found.length > 0) process.exitCode = 1;
  else process.stdout.write(`${entriesOf(changelog)[0]?.notes}\n`);
}
