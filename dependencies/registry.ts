import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { run } from '../local/process/run.ts';
import { type EndpointAnswer, listPackage, readAudit } from './advisories.ts';

/** Runs npm itself, so that the registry, its credentials and a proxy are those of its configuration. */
const npm = (args: readonly string[]) => run('npm', [...args, '--json', '--loglevel=silent'], {}, 120_000);

const packumentSchema = z.object({
  'dist-tags': z.object({ latest: z.string() }),
  versions: z.union([z.array(z.string()), z.string().transform((one) => [one])]),
  time: z.record(z.string(), z.string()),
  deprecated: z.string().optional(),
});

/** The facts that a registry knows of a package. */
export interface Known {
  /** Time at which this version was published, or, of a mirror, at which the mirror took it. */
  readonly published?: Date;
  /** Newest release of the same major; missing where all versions of it have a suffix. */
  readonly newestOfMajor?: string;
  /** Version that the registry calls the latest. */
  readonly latest: string;
  /** Words of the authors to those who still use it. */
  readonly deprecated?: string;
}

/** Reads what `npm view <name>@<version> … --json` printed; undefined where the registry knows no such version. */
export function readPackument(output: string, version: string): Known | undefined {
  if (output.trim() === '') return undefined;
  const parsed = packumentSchema.safeParse(JSON.parse(output));
  if (!parsed.success) return undefined;
  const { versions, time, deprecated, 'dist-tags': tags } = parsed.data;
  const published = time[version];
  const newestOfMajor = newest(versions.filter((one) => majorOf(one) === majorOf(version)));
  return {
    latest: tags.latest,
    ...(published !== undefined && { published: new Date(published) }),
    ...(newestOfMajor !== undefined && { newestOfMajor }),
    ...(deprecated !== undefined && { deprecated }),
  };
}

const majorOf = (version: string): string => version.slice(0, version.indexOf('.'));

/** Picks the newest release; versions with a suffix are none. */
function newest(versions: readonly string[]): string | undefined {
  const numbers = (version: string) => version.split('.').map(Number);
  return versions
    .filter((version) => /^\d+\.\d+\.\d+$/.test(version))
    .sort((a, b) => {
      const [left, right] = [numbers(a), numbers(b)];
      const at = left.findIndex((number, index) => number !== right[index]);
      return at === -1 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
    })
    .at(-1);
}

/** Asks the registry about one version; undefined where it gives no answer. */
export async function askRegistry(name: string, version: string): Promise<Known | undefined> {
  const fields = ['dist-tags', 'versions', 'time', 'deprecated'];
  const { exitCode, stdout } = await npm(['view', `${name}@${version}`, ...fields]);
  return exitCode === 0 ? readPackument(stdout, version) : undefined;
}

/** Asks the registry's audit endpoint about the whole lock file. */
export async function askEndpoint(): Promise<EndpointAnswer> {
  return readAudit((await npm(['audit'])).stdout);
}

/** A list of advisories, and how old it is. */
export interface AdvisoryList {
  readonly text: string;
  readonly version: string;
  readonly published?: Date;
}

const packedSchema = z.tuple([z.object({ filename: z.string(), version: z.string() })]);

/** Fetches the newest list of advisories, whose hash npm checks; undefined where the registry does not have it. */
export async function fetchList(): Promise<AdvisoryList | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'rekey-audit-'));
  try {
    const packed = await npm(['pack', listPackage.name, '--ignore-scripts', '--pack-destination', directory]);
    if (packed.exitCode !== 0) return undefined;
    const [{ filename, version }] = packedSchema.parse(JSON.parse(packed.stdout));
    const archive = join(directory, filename);
    const unpacked = await run('tar', ['-xzOf', archive, listPackage.file], {}, 60_000);
    if (unpacked.exitCode !== 0) return undefined;
    const published = (await askRegistry(listPackage.name, version))?.published;
    return { text: unpacked.stdout, version, ...(published !== undefined && { published }) };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
