import { revocationToken } from '../deployed/revocation-token.ts';
import { incidentIdOf, revocationKey } from '../notification/incident-id.ts';
import type { Fact } from './fact.ts';
import { isOfQuarantine } from './quarantines.ts';

/** The facts of one incident, and the names by which it is found. */
export interface Group {
  readonly facts: readonly Fact[];
  /** Names that responders gave it, oldest first. */
  readonly names: readonly string[];
  /** Ids of the requests in it, oldest first. */
  readonly requests: readonly string[];
  readonly correlations: readonly string[];
}

/** Sets of texts that belong together. */
class Together {
  readonly #parents = new Map<string, string>();

  find(one: string): string {
    let root = one;
    for (let next = this.#parents.get(root); next !== undefined; next = this.#parents.get(root)) root = next;
    // The way is shortened, so that long chains stay quick.
    for (let step = one; step !== root; ) {
      const next = this.#parents.get(step) ?? root;
      this.#parents.set(step, root);
      step = next;
    }
    return root;
  }

  join(one: string, other: string): void {
    const [a, b] = [this.find(one), this.find(other)].sort() as [string, string];
    if (a !== b) this.#parents.set(b, a);
  }
}

const ofRequest = (id: string): string => `request ${id}`;
const ofCorrelation = (id: string): string => `correlation ${id}`;
const ofName = (name: string): string => `name ${name}`;

/** Tells whether an event can begin an incident. */
const begins = ({ detailType }: Fact): boolean =>
  isOfQuarantine(detailType) ||
  detailType.startsWith('Secret Revocation ') ||
  detailType.startsWith('Revocation ') ||
  detailType === 'Credential Contained';

/**
 * Puts facts together into incidents. Requests belong together that share a name which a responder gave, or a correlation, or of
 * which one led to the other.
 */
export function groupsOf(facts: readonly Fact[]): readonly Group[] {
  const together = new Together();
  const own = facts.filter((fact) => begins(fact) && fact.requestId !== undefined);
  const requests = new Set(own.map(({ requestId }) => requestId));
  for (const { requestId = '', correlationId, causationId, partOf, recorded } of own) {
    const name = recorded.text('incident');
    if (correlationId !== undefined) together.join(ofRequest(requestId), ofCorrelation(correlationId));
    if (name !== undefined) together.join(ofRequest(requestId), ofName(name));
    // A quarantine and its end are of one incident, whatever names they have.
    for (const cause of [causationId, partOf, recorded.text('quarantineId')]) {
      if (cause !== undefined && requests.has(cause)) together.join(ofRequest(requestId), ofRequest(cause));
    }
  }
  const versions = versionsOf(own);
  const pages = new Map([...requests].map((id = '') => [incidentIdOf(revocationKey(id)), id]));
  const placeOf = (fact: Fact): string | undefined => {
    const { requestId, causationId, detailType, recorded } = fact;
    for (const id of [requestId, causationId, pages.get(recorded.text('incidentId') ?? '')]) {
      if (id !== undefined && requests.has(id)) return together.find(ofRequest(id));
    }
    const version = detailType.startsWith('Secret Rotation ')
      ? recorded.text('versionId')
      : detailType === 'Request Attributed'
        ? requestId
        : undefined;
    const asked = version === undefined ? undefined : versions.get(version);
    if (asked !== undefined) return together.find(ofRequest(asked));
    return detailType === 'Legal Hold Placed' ? heldPlace(recorded.text('incident') ?? '') : undefined;
  };
  const heldPlace = (name: string): string | undefined => {
    const keys = new Set(own.map(({ requestId = '' }) => together.find(ofRequest(requestId))));
    return [ofName(name), ofRequest(name), ofCorrelation(name)]
      .map((key) => together.find(key))
      .find((key) => keys.has(key));
  };
  const grouped = Map.groupBy(facts, placeOf);
  grouped.delete(undefined);
  return [...grouped.values()].map(named);
}

/** Finds the versions that revocations made, by which their rotations are known. */
export function versionsOf(facts: readonly Fact[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { requestId, recorded } of facts) {
    if (requestId === undefined) continue;
    const [arn, version] = [recorded.text('secretArn'), recorded.text('newVersionId')];
    if (arn !== undefined)
      found.set(revocationToken(requestId.toWellFormed(), arn.toWellFormed()), requestId);
    if (version !== undefined) found.set(version, requestId);
  }
  return found;
}

function named(facts: readonly Fact[]): Group {
  const own = facts.filter(begins);
  const distinct = (texts: readonly (string | undefined)[]) => [
    ...new Set(texts.filter((one) => one !== undefined)),
  ];
  return {
    facts,
    names: distinct(own.map(({ recorded }) => recorded.text('incident'))),
    requests: distinct(own.map(({ requestId }) => requestId)),
    correlations: distinct(own.map(({ correlationId }) => correlationId)),
  };
}
