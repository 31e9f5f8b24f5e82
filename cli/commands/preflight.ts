import { readFileSync } from 'node:fs';
import type { DeploymentFacts } from '../../core/operator-ports.ts';
import { usualProof } from '../../core/preflight/check.ts';
import { isForOther, usualEnvironments } from '../../core/preflight/environments.ts';
import { type Gathering, gatherFacts, withoutCloud } from '../../core/preflight/gather.ts';
import { preflightPolicy } from '../../core/preflight/permissions.ts';
import type { PreflightEnvironment } from '../../core/preflight/ports.ts';
import { type PreflightReport, prove, verdictOf } from '../../core/preflight/prove.ts';
import type { SecretReference } from '../../core/preflight/reference.ts';
import type { Invocation } from '../context.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import { asJson } from '../output.ts';
import { EnvironmentFacts } from '../preflight/environment-facts.ts';
import type { PreflightFormat } from '../preflight/formats.ts';
import { readManifests } from '../preflight/manifest-files.ts';
import { proberWith } from '../preflight/prober.ts';
import { writeReport } from '../preflight/report.ts';

/** Options of {@link preflight}. */
export interface PreflightOptions {
  readonly paths: readonly string[];
  readonly format: PreflightFormat;
  readonly failOn: 'error' | 'warning';
  /** ARN of the role that reads where a manifest does not say. */
  readonly reader?: string;
  readonly probe: boolean;
  readonly offline: boolean;
  readonly printPolicy: boolean;
  /** Checks that are not made. */
  readonly skip: readonly string[];
  readonly concurrency: number;
  readonly maximumReaders?: number;
  /** File with PEM certificates of own authorities, for trials. */
  readonly certificateAuthorities?: string;
}

const exitCodes = { proven: 0, wrong: 1, 'not proven': 3 } as const;

/**
 * Runs `rekey preflight`: finds the references to secrets in manifests and proves each.
 * @returns 0 if all were proven, 1 if something is wrong, 3 if something was not proven
 * @throws CliError `UsageInvalid`
 */
export async function preflight(invocation: Invocation, options: PreflightOptions): Promise<ExitCode> {
  const { context, output, environment } = invocation;
  if (environment === undefined) {
    throw usageError(
      'UsageInvalid',
      'name the environment that is deployed: --environment or REKEY_ENVIRONMENT',
    );
  }
  if (options.printPolicy) return await printPolicy(invocation, environment, options);
  const prober = options.probe ? proberWith(authoritiesIn(options.certificateAuthorities)) : undefined;
  output.progress('reading manifests');
  const { files, reading } = await readManifests(options.paths);
  const environments = new Set([...usualEnvironments, environment.toLowerCase()]);
  const leftOut = (one: SecretReference) => isForOther(one.environment, environment, environments);
  const gathering: Gathering = {
    references: reading.references.filter((one) => !leftOut(one)),
    environment,
    environments,
    now: context.clock.now(),
    probe: options.probe,
    // Without the check of readers, nobody needs to know them.
    skipped: new Set(
      options.skip.flatMap((one) => (one === 'ReaderDenied' ? [one, 'ReaderUnknown'] : [one])),
    ),
    concurrency: options.concurrency,
    ...(options.reader !== undefined && { reader: options.reader }),
    seen: (done, all) => output.progress(`looking at secrets, ${done} of ${all}`),
  };
  const asked = options.offline ? undefined : await open(invocation, gathering, prober);
  const facts = asked === undefined ? withoutCloud(gathering) : await gatherFacts(gathering, asked);
  const report: PreflightReport = prove(facts, reading.problems, {
    maximumReaders: options.maximumReaders ?? usualProof.maximumReaders,
    probe: options.probe,
    skipped: gathering.skipped,
  });
  const verdict = verdictOf(report, options.failOn);
  output.clearProgress();
  writeReport(invocation, options.format, {
    report,
    verdict,
    failOn: options.failOn,
    environment,
    files,
    leftOut: reading.references.filter(leftOut),
    now: gathering.now,
    offline: options.offline,
  });
  return exitCodes[verdict];
}

/** Opens the account and the environment. */
async function open(
  { cloud, output }: Invocation,
  { environment, references, now }: Gathering,
  prober: ReturnType<typeof proberWith> | undefined,
) {
  const [{ account }, opened] = await Promise.all([cloud.identity(), cloud.preflight(prober)]);
  const secrets = new Set(references.map(({ secret }) => secret)).size;
  let facts: PreflightEnvironment | undefined;
  try {
    const deployed = await (await cloud.deployments()).facts(environment);
    if (Object.keys(deployed).length > 0) {
      facts = new EnvironmentFacts(cloud, { name: environment, facts: deployed }, { now, secrets });
    } else {
      output.note(
        `no environment ${environment} of Rekey is deployed here: what is overdue, expired or revoked is proven as far as Secrets Manager knows it`,
        'warn',
      );
    }
  } catch (error) {
    const failure = explain(error);
    if (failure.code !== 'AccessDenied') throw failure;
    const refused = () => Promise.reject(failure);
    facts = { definition: refused, openRevocations: refused };
  }
  return { cloud: opened.cloud, region: opened.region, account, ...(facts !== undefined && { facts }) };
}

function authoritiesIn(file: string | undefined): readonly string[] | undefined {
  if (file === undefined) return undefined;
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    // An empty file says the same.
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (found === null) throw usageError('UsageInvalid', `--ca ${file} holds no certificate in PEM`);
  return found;
}

/** Prints the policy of the role that the check runs as. */
async function printPolicy(
  { cloud, context }: Invocation,
  environment: string,
  { offline, skip, probe }: PreflightOptions,
): Promise<ExitCode> {
  const values = probe || !skip.includes('KeyMissing');
  if (offline) {
    const policy = preflightPolicy({ environment, region: '*', account: '*', values });
    context.stdout.write(`${asJson(policy, 2)}\n`);
    return 0;
  }
  const [{ account }, { region }, facts] = await Promise.all([
    cloud.identity(),
    cloud.preflight(),
    cloud
      .deployments()
      .then((deployments) => deployments.facts(environment))
      .catch((): DeploymentFacts => ({})),
  ]);
  const bucket = skip.includes('SecretRevoked') ? undefined : facts.auditBucket;
  const policy = preflightPolicy({
    environment,
    region,
    account,
    values,
    ...(bucket !== undefined && { auditBucket: bucket }),
  });
  context.stdout.write(`${asJson(policy, 2)}\n`);
  return 0;
}
