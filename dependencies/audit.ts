import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../lib/function/bundle.ts';
import { type Advisory, listPackage, readList } from './advisories.ts';
import { licenceOf } from './licences.ts';
import { askEndpoint, askRegistry, fetchList, type Known } from './registry.ts';
import { listed, problems, rows, table } from './report.ts';
import { bundledPackages, type Locked, lockedPackages } from './shipped.ts';

const usage = `npm run audit -- [options]

Lists every package that is shipped, and the direct development dependencies: version, age, newer versions, licence,
deprecation, advisories. Only the registry that npm is configured for is asked.

  --json   as JSON
  --help

Exit codes: 0 nothing found, 1 something that is shipped is vulnerable, deprecated, of a licence that is not permitted, or
something has no hash, 2 the registry did not answer about everything that is listed.
`;

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});

const days = (since: Date, now: Date): number => Math.floor((now.getTime() - since.getTime()) / 86_400_000);

/** Reads what is known of vulnerabilities, and says on which source that stands. */
async function advisories(locked: readonly Locked[], now: Date) {
  const sources: string[] = [];
  const found: Advisory[] = [];
  const endpoint = await askEndpoint();
  if ('refused' in endpoint) {
    sources.push(`The registry's audit endpoint is not to be had: ${endpoint.refused}.`);
  } else {
    sources.push("The registry's audit endpoint answered.");
    found.push(...endpoint.advisories);
  }
  const list = await fetchList();
  if (list === undefined) {
    sources.push(`The list of advisories in ${listPackage.name} is not to be had.`);
  } else {
    const age = list.published === undefined ? 'of unknown age' : `${days(list.published, now)} days old`;
    sources.push(`Compared with the list of advisories in ${listPackage.name} ${list.version}, ${age}.`);
    found.push(...readList(list.text, locked));
  }
  return { sources, found };
}

/** Asks about packages, two at a time; each question is an npm of its own. */
async function ask(packages: readonly Locked[]): Promise<Map<string, Known>> {
  const known = new Map<string, Known>();
  const left = [...packages];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const answer = await askRegistry(one.name, one.version ?? '');
      if (answer !== undefined) known.set(one.path, answer);
    }
  };
  await Promise.all([worker(), worker()]);
  return known;
}

async function audit(): Promise<number> {
  const now = new Date();
  const locked = lockedPackages();
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const scope = { locked, development: Object.keys(manifest.devDependencies), bundled: bundledPackages() };
  const packages = listed(scope);
  process.stderr.write(`Asking the registry about ${packages.length} packages …\n`);
  const { sources, found } = await advisories(locked, now);
  const known = await ask(packages);
  const licences = new Map(packages.map(({ path }) => [path, licenceOf(read(path))]));
  const facts = { ...scope, known, licences, advisories: found, now };
  const [all, wrong] = [rows(facts), problems(facts)];
  const unanswered = packages.filter(({ path }) => !known.has(path)).map(({ path }) => path);
  if (unanswered.length > 0) sources.push(`The registry did not answer about ${unanswered.join(', ')}.`);
  if (values.json) {
    process.stdout.write(
      `${JSON.stringify({ packages: all, problems: wrong, unanswered, sources }, null, 2)}\n`,
    );
  } else {
    const said = wrong.map(({ kind, path, text }) => `${kind}: ${path}: ${text}`);
    const conclusion = said.length === 0 ? ['Nothing found.'] : said;
    process.stdout.write([table(all), '', ...sources, ...conclusion, ''].join('\n'));
  }
  return wrong.length > 0 ? 1 : unanswered.length > 0 ? 2 : 0;
}

const read = (path: string): unknown =>
  JSON.parse(readFileSync(join(packageRoot, path, 'package.json'), 'utf8'));

if (values.help) process.stdout.write(usage);
else process.exitCode = await audit();
