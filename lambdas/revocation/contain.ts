import type { ContainmentInput, ContainOutcome } from '../../core/deployed/revocation-state.ts';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import type { Containment } from '../../core/events/catalogue.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import { type Finding, findingData } from '../../core/findings/codes.ts';
import { inTurns } from '../../core/pace/in-turns.ts';
import type { WithWait } from '../../core/pace/patience.ts';
import type { DatabaseDirectory, EventBus, SecretStore } from '../../core/ports.ts';
import type { ContainResult, Revoker, TargetContext } from '../../core/rotator.ts';
import { laggingReplicas, type Strategy, stages } from '../../core/secret/secret.ts';
import { credentialsAtHand, isOfSamePlace } from '../rotation/credentials.ts';
import { type Leak, readLeaks } from './leaked-versions.ts';
import { tryLeaked, tryOne } from './trials.ts';

export interface ContainmentDependencies<S extends object> extends WithWait {
  readonly rotator: Revoker<S>;
  readonly strategy: Strategy;
  readonly store: SecretStore;
  readonly databases: DatabaseDirectory;
  /** Bus that takes every record; see `emergencyBus`. */
  readonly bus: EventBus;
  readonly origin: EventOrigin;
  readonly target: Omit<TargetContext, 'finding'>;
}

/**
 * Cuts leaked credentials off at their target: the one in use first, then the others. A credential that cannot be cut off does
 * not keep the rest from it.
 *
 * @throws RekeyError `LabelsOutdated` when the labels still show a version as current that the revocation has replaced:
 * what is in use is then not known, and nothing is cut off
 * @throws the first error, after everything was tried and recorded
 */
export async function containLeaks<S extends object>(
  input: ContainmentInput,
  dependencies: ContainmentDependencies<S>,
): Promise<ContainOutcome> {
  const { rotator, strategy, origin, target, bus } = dependencies;
  const leaks = await readLeaks(input, dependencies);
  if (leaks.stillCurrent !== undefined) {
    throw new RekeyError(
      'LabelsOutdated',
      `${stages.current} of ${input.secretName} is shown on version ${leaks.stillCurrent}, which leaked and was replaced by ${input.newVersionId}; the answer is old, or somebody moved the label back. Nothing was cut off; try again`,
    );
  }
  const findings: Finding[] = [];
  const { current } = leaks;
  if (current === undefined) {
    await record(input, [], findings, { bus, origin });
    return { containments: [] };
  }
  const sources = { ...dependencies, assigned: async () => input.assigned ?? undefined };
  const atHand = (credential: S) => credentialsAtHand(sources, leaks.description, credential);
  const context = {
    ...target,
    strategy,
    random: origin.random,
    finding: (finding: (typeof findings)[number]) => findings.push(finding),
    credentials: atHand(current),
    ...(input.rotatedAt !== undefined && { rotatedAt: new Date(input.rotatedAt) }),
  };
  // The credential is refused whatever they serve: their readers are who is told.
  for (const { region, status } of input.newVersionId === undefined
    ? []
    : laggingReplicas(leaks.description)) {
    context.finding({
      code: 'ReplicaOutdated',
      message: `the replica of ${input.secretName} in ${region} is ${status}: whoever reads it there may have a credential that was revoked, and is refused; mend the replication`,
    });
  }
  const errors: unknown[] = [];

  /**
   * Cuts off a credential of another server than the current one. It is tried at its own server, never at the current one's. A
   * login that works there means that it is in use there.
   */
  const containElsewhere = async (credential: S): Promise<ContainResult> => {
    const { outcome } = await rotator.probe(credential, context);
    if (outcome === 'rejected') {
      return { loginsRefused: true, sessionsEnded: 0, note: 'refused already where this version points' };
    }
    return await rotator.contain(credential, { ...context, credentials: atHand(credential) });
  };
  /**
   * Cuts off a credential of the current one's server. It uses the admin of the current version, and where that is of no use, the
   * leaked version's own.
   */
  const containHere = async (credential: S): Promise<ContainResult> => {
    const { credentials } = context;
    const admin = async () => {
      const own = () => atHand(credential).admin();
      const found = await credentials.admin().catch(async (error: unknown) => {
        const other = await own().catch(() => undefined);
        if (other === undefined) throw error;
        return other;
      });
      return found ?? (await own());
    };
    return await rotator.contain(credential, { ...context, credentials: { ...credentials, admin } });
  };
  const containOne = async ({ credential, identity, versionIds }: Leak<S>): Promise<Containment> => {
    try {
      const result = isOfSamePlace(rotator, credential, current)
        ? await containHere(credential)
        : await containElsewhere(credential);
      return { versionIds, identity, ...result };
    } catch (error) {
      errors.push(error);
      const { code, message } = summarizeError(error);
      return { versionIds, identity, loginsRefused: false, sessionsEnded: 0, note: `${code}: ${message}` };
    }
  };
  const containIdentity = async (ofIdentity: readonly Leak<S>[]): Promise<Containment[]> => {
    const done: Containment[] = [];
    const refused: string[] = [];
    for (const leak of ofIdentity) {
      // Long forgotten versions of a login that was just cut off: most are refused, and asking costs less.
      const spent =
        done.length > 0 &&
        !leak.labelled &&
        (await tryLeaked(rotator, [leak], current, context))[0]?.outcome === 'rejected';
      if (spent) {
        refused.push(...leak.versionIds);
      } else {
        done.push(await containOne(leak));
      }
    }
    const { identity = '' } = ofIdentity[0] ?? {};
    return refused.length === 0
      ? done
      : [
          ...done,
          { versionIds: refused, identity, loginsRefused: true, sessionsEnded: 0, note: 'refused already' },
        ];
  };
  const identities = [...Map.groupBy(leaks.found, ({ identity }) => identity).values()];
  const containments = (await inTurns(identities, containIdentity)).flat();
  await record(input, containments, findings, { bus, origin });
  if (errors.length > 0) {
    throw errors[0];
  }
  // After a rotation the proof follows at once; before it, this is the moment from which on the leak is harmless.
  const refusedAt =
    input.newVersionId === undefined ? await seenRefused(leaks.found, dependencies) : undefined;
  return { containments, ...(refusedAt !== undefined && { refusedAt }) };
}

async function seenRefused<S extends object>(
  found: readonly Leak<S>[],
  { rotator, target, origin }: ContainmentDependencies<S>,
): Promise<string | undefined> {
  const results = await inTurns(found, ({ credential }) =>
    tryOne(rotator, credential, { ...target, finding: () => undefined }),
  );
  return results.length > 0 && results.every(({ outcome }) => outcome === 'rejected')
    ? origin.clock.now().toISOString()
    : undefined;
}

async function record(
  { requestId, correlationId, secretArn, secretName }: ContainmentInput,
  containments: Containment[],
  findings: readonly Finding[],
  { bus, origin }: { readonly bus: EventBus; readonly origin: EventOrigin },
): Promise<void> {
  const links = { correlationId, causationId: requestId };
  await bus.publish([
    // Each attempt is an act of its own; the same act reported twice is one fact.
    createEvent(
      origin,
      'Credential Contained',
      { requestId, secretArn, secretName, containments },
      { ...links, fact: `${requestId} ${secretArn} ${JSON.stringify(containments)}` },
    ),
    ...findings.map((finding) =>
      createEvent(origin, 'Finding Raised', findingData(secretArn, finding), {
        ...links,
        fact: `${requestId} ${secretArn} ${finding.code} ${finding.message}`,
      }),
    ),
  ]);
}
