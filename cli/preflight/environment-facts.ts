import { RecordedEvent } from '../../core/audit/recorded-event.ts';
import { sameSecret } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { ManualSecret } from '../../core/lifecycle/manual-secret.ts';
import type { AuditObjects, Cloud, DeploymentFacts } from '../../core/operator-ports.ts';
import type { KnownDefinition, OpenRevocation, PreflightEnvironment } from '../../core/preflight/ports.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { keyBefore, recordsAfter } from '../audit-tail-reader.ts';
import { explain } from '../failure.ts';

/** Secrets up to which definitions are read one by one; of more, all are listed. */
const oneByOne = 20;
/** Days back in which revocations are looked for. A credential that was revoked earlier has long been missed. */
const windowDays = 7;
/** Records that are read at the most. */
const mostRecords = 20_000;

const dayMs = 86_400_000;

/** The facts that an environment of Rekey has written down, as a preflight asks for them. */
export class EnvironmentFacts implements PreflightEnvironment {
  readonly #cloud: Cloud;
  readonly #environment: string;
  readonly #facts: DeploymentFacts;
  readonly #now: Date;
  readonly #many: boolean;
  #listed: Promise<readonly SecretDefinition[] | undefined> | undefined;
  #manual: Promise<readonly ManualSecret[]> | undefined;

  constructor(
    cloud: Cloud,
    environment: { readonly name: string; readonly facts: DeploymentFacts },
    { now, secrets }: { readonly now: Date; readonly secrets: number },
  ) {
    this.#cloud = cloud;
    this.#environment = environment.name;
    this.#facts = environment.facts;
    this.#now = now;
    this.#many = secrets > oneByOne;
  }

  async definition({ arn }: { readonly arn: string }): Promise<KnownDefinition | undefined> {
    const found = await named(this.#definition(arn));
    if (found !== undefined) {
      const { type, expires, maximumAgeDays } = found;
      return {
        type,
        ...(expires !== undefined && { expires }),
        ...(maximumAgeDays !== undefined && { maximumAgeDays }),
      };
    }
    this.#manual ??= this.#cloud.manualSecrets(this.#environment).then((store) => store.list());
    const manual = (await named(this.#manual)).find((one) => sameSecret(one.arn, arn));
    if (manual === undefined) return undefined;
    const { expires, replaceEveryDays } = manual;
    return { maximumAgeDays: replaceEveryDays, ...(expires !== undefined && { expires }) };
  }

  async #definition(arn: string): Promise<SecretDefinition | undefined> {
    const store = await this.#cloud.definitions(this.#environment);
    if (this.#many) {
      // One parameter that holds none must not hide the others.
      this.#listed ??= store.list().catch((error: unknown) => {
        if (error instanceof RekeyError && error.code === 'DefinitionInvalid') return undefined;
        throw error;
      });
      const all = await this.#listed;
      if (all !== undefined) return all.find((one) => sameSecret(one.arn, arn));
    }
    return await store.find(arn);
  }

  async openRevocations(): Promise<ReadonlyMap<string, OpenRevocation>> {
    const { auditBucket } = this.#facts;
    if (auditBucket === undefined) {
      throw new RekeyError('DeploymentIncomplete', 'the environment names no bucket of an audit log');
    }
    return await named(this.#cloud.auditObjects(auditBucket).then((objects) => this.#revocations(objects)));
  }

  async #revocations(objects: AuditObjects): Promise<ReadonlyMap<string, OpenRevocation>> {
    const open = new Map<string, OpenRevocation>();
    const since = new Date(this.#now.getTime() - windowDays * dayMs);
    let read = 0;
    for await (const one of recordsAfter(objects, await keyBefore(objects, since))) {
      read += 1;
      if (read > mostRecords) {
        throw new RekeyError(
          'QuotaReached',
          `the audit log has more than ${mostRecords} records of ${windowDays} days, which are not all read; leave it out: --skip SecretRevoked`,
        );
      }
      if (one.kind === 'record') note(open, new RecordedEvent(one.record.event), one.record.event.time);
    }
    return open;
  }
}

/** Takes note of one record. A revocation stays open until it has ended well, or a rotation has followed it. */
function note(open: Map<string, OpenRevocation>, event: RecordedEvent, time: string): void {
  const secret = event.text('secretArn');
  if (secret === undefined) return;
  switch (event.detailType) {
    case 'Secret Revocation Started': {
      const incident = event.text('incident');
      open.set(secret, { since: time, state: 'under way', ...(incident !== undefined && { incident }) });
      break;
    }
    case 'Secret Revocation Failed': {
      const before = open.get(secret);
      // What failed after its rotation leaves a new credential, which nobody revoked.
      if (before !== undefined) open.set(secret, { ...before, state: 'failed' });
      break;
    }
    case 'Secret Rotation Succeeded':
    case 'Secret Revocation Succeeded':
    case 'Secret Revocation Unproven':
      open.delete(secret);
      break;
  }
}

/** Names the action of a call that failed, which the check then shows as the permission that is missing. */
const named = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((error: unknown) => {
    throw explain(error);
  });
