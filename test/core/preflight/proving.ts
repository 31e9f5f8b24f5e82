import { usualEnvironments } from '../../../core/preflight/environments.ts';
import { type Gathering, gatherFacts } from '../../../core/preflight/gather.ts';
import { type PreflightReport, prove } from '../../../core/preflight/prove.ts';
import type { SecretReference } from '../../../core/preflight/reference.ts';
import { account, type FakeAccount, now, region } from './account.ts';

/** What a test sets otherwise. */
export type Choice = Partial<Gathering> & { readonly maximumReaders?: number };

/** Proves references against an account in memory. */
export async function proving(
  cloud: FakeAccount,
  references: readonly SecretReference[],
  { maximumReaders = 25, ...choice }: Choice = {},
): Promise<PreflightReport> {
  const gathering: Gathering = {
    references,
    environment: 'prod',
    environments: new Set(usualEnvironments),
    now,
    probe: false,
    skipped: new Set(),
    concurrency: 8,
    ...choice,
  };
  const facts = await gatherFacts(gathering, { cloud, facts: cloud, account, region });
  return prove(facts, [], { maximumReaders, probe: gathering.probe, skipped: gathering.skipped });
}

/** Names the checks that found something on the first reference, but for what is only for information. */
export async function found(cloud: FakeAccount, one: SecretReference, choice?: Choice) {
  const report = await proving(cloud, [one], choice);
  const [{ findings = [], state } = {}] = report.references;
  return {
    state,
    checks: findings.filter(({ severity }) => severity !== 'info').map(({ check }) => check),
    messages: findings.map(({ message }) => message),
    fixes: findings.map(({ fix }) => fix),
    all: findings,
  };
}
