import { type Fact, timeOf } from './fact.ts';

/** Tells whether an event is one of a quarantine. */
export const isOfQuarantine = (detailType: string): boolean => detailType.startsWith('Principal Quarantine');

/** A quarantine of a principal in an incident. It never keeps the incident open: it stands for as long as somebody wants. */
export interface QuarantineCourse {
  /** Id of the request by which it is lifted. */
  readonly requestId: string;
  readonly principal: string;
  /** `sessions` or `all`. */
  readonly scope?: string;
  readonly reason?: string;
  readonly state: 'requested' | 'stands' | 'lifted' | 'replaced' | 'refused';
  readonly requestedAt: number;
  readonly placedAt?: number;
  readonly liftedAt?: number;
  /** Reason why it was refused, with its code. */
  readonly refusal?: string;
}

/** Builds the quarantines of an incident, oldest first. */
export function quarantinesOf(facts: readonly Fact[]): readonly QuarantineCourse[] {
  const own = facts.filter(({ detailType }) => isOfQuarantine(detailType));
  const lifts = new Set(
    own
      .filter(({ detailType }) => detailType.startsWith('Principal Quarantine Lift'))
      .map((fact) => fact.requestId),
  );
  const byRequest = Map.groupBy(
    own.filter(({ requestId }) => requestId !== undefined && !lifts.has(requestId)),
    ({ requestId = '' }) => requestId,
  );
  return [...byRequest].map(([requestId, told]) => courseOf(requestId, told, own));
}

function courseOf(requestId: string, told: readonly Fact[], all: readonly Fact[]): QuarantineCourse {
  const first = (type: string) => told.find(({ detailType }) => detailType === type);
  const said = (name: string) =>
    told.map(({ recorded }) => recorded.text(name)).find((value) => value !== undefined);
  const placed = first('Principal Quarantined');
  const refused = placed === undefined ? first('Principal Quarantine Refused') : undefined;
  const of = (type: string, name: string) =>
    all.find((fact) => fact.detailType === type && fact.recorded.text(name) === requestId);
  const lifted = of('Principal Quarantine Lifted', 'quarantineId');
  const replaced = of('Principal Quarantined', 'replaces');
  const error = refused?.recorded.error;
  const [scope, reason] = [said('scope'), said('reason')];
  const state =
    lifted !== undefined
      ? 'lifted'
      : replaced !== undefined
        ? 'replaced'
        : placed !== undefined
          ? 'stands'
          : refused === undefined
            ? 'requested'
            : 'refused';
  return {
    requestId,
    principal: said('principal') ?? 'not said',
    state,
    requestedAt: timeOf(placed?.recorded.data.requestedAt) ?? told[0]?.at ?? 0,
    ...(scope !== undefined && { scope }),
    ...(reason !== undefined && { reason }),
    ...(placed !== undefined && { placedAt: placed.at }),
    ...(lifted !== undefined && { liftedAt: lifted.at }),
    ...(error !== undefined && { refusal: `${error.code}: ${error.message}` }),
  };
}
