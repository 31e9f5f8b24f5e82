import { v5, v7 } from 'uuid';
import type { Clock, Random } from '../ports.ts';
import type { DetailType, EventData, RekeyEvent } from './catalogue.ts';
import { schemaVersion } from './version.ts';

/** The facts that all events of one function or command share. */
export interface EventOrigin {
  readonly source: `rekey.${string}`;
  readonly environment: string;
  /** The principal or function that acts. */
  readonly actor: string;
  readonly clock: Clock;
  readonly random: Random;
}

export interface EventLinks {
  readonly correlationId: string;
  readonly causationId?: string;
  /**
   * Text that names a fact which may be announced twice, as by a retried step. Both announcements then carry the same id
   * (UUIDv5 of this text) and are recorded once. Otherwise the id is a UUIDv7.
   */
  readonly fact?: string;
}

const factNamespace = '6f0c2d0e-6f6b-5d0c-9f5a-2b1e8c1d7a54';

/**
 * Makes an event of the catalogue, ready for the bus.
 * @see https://www.rfc-editor.org/rfc/rfc9562
 * @example
 * createEvent(origin, 'Secret Rotation Started', { ...rotated, previousVersionId }, { correlationId: versionId });
 */
export function createEvent<T extends DetailType>(
  origin: EventOrigin,
  detailType: T,
  data: EventData<T>,
  links: EventLinks,
): RekeyEvent<T> {
  const now = origin.clock.now();
  const id =
    links.fact === undefined
      ? v7({ msecs: now.getTime(), random: origin.random.bytes(16) })
      : v5(`${detailType}\n${links.fact}`, factNamespace);
  return {
    source: origin.source,
    detailType,
    detail: {
      metadata: {
        id,
        schemaVersion,
        time: now.toISOString(),
        environment: origin.environment,
        actor: origin.actor,
        correlationId: links.correlationId,
        ...(links.causationId !== undefined && { causationId: links.causationId }),
      },
      data,
    },
  };
}
