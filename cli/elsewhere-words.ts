import type { PartElsewhere } from '../core/incident/elsewhere.ts';
import type { IncidentCourse } from '../core/incident/incident-course.ts';
import { formatDuration } from './time.ts';

/** One row on what an environment elsewhere did, in the words of the tables on secrets. */
export interface RowElsewhere {
  /** Environment with its place: `prod (222222222222, us-west-2)`. */
  readonly place: string;
  readonly secret: string;
  readonly state: string;
  readonly tone: 'good' | 'warn' | 'bad' | 'plain';
  /** Time from the request until the leaked credential was refused, where that was seen. */
  readonly contained: string;
  /** Request by which that environment's own log knows it. */
  readonly request: string;
}

/** Names the place of an environment elsewhere. */
export const placeText = ({ environment, account, region }: Omit<PartElsewhere, 'secrets'>): string =>
  `${environment} (${account}, ${region})`;

const words: Readonly<Record<string, readonly [string, RowElsewhere['tone']]>> = {
  succeeded: ['revoked', 'good'],
  unproven: ['unproven', 'warn'],
  failed: ['failed', 'bad'],
};

/** Lists what environments elsewhere did, a row for each secret, and one for a part without any. */
export const rowsElsewhere = ({
  elsewhere,
  requestedAt,
}: Pick<IncidentCourse, 'elsewhere' | 'requestedAt'>): readonly RowElsewhere[] =>
  elsewhere.flatMap((part): RowElsewhere[] => {
    const common = { place: placeText(part), request: part.memberRequestId ?? '-' };
    if (part.secrets.length === 0) {
      const [state, tone] = stateOf(part);
      return [{ ...common, secret: secretsText(part), state, tone, contained: '-' }];
    }
    return part.secrets.map(({ secretName, outcome, refusedAt }) => {
      const [state, tone] = words[outcome] ?? [outcome, 'plain'];
      const contained = refusedAt === undefined ? '-' : formatDuration(Math.max(0, refusedAt - requestedAt));
      return { ...common, secret: secretName, state, tone, contained };
    });
  });

const secretsText = ({ planned, unreachable }: PartElsewhere): string =>
  unreachable !== undefined ? 'unknown' : planned === undefined ? '-' : `${planned} secrets`;

function stateOf({ outcome, unreachable }: PartElsewhere): readonly [string, RowElsewhere['tone']] {
  if (outcome === undefined) {
    return unreachable === undefined ? ['under way', 'plain'] : [`not reached yet, ${unreachable}`, 'bad'];
  }
  if (outcome === 'none') return ['no such secret', 'plain'];
  return [outcome, outcome === 'proven' ? 'good' : 'bad'];
}

/** Gives the command that goes on with a part in its account. It is a retry where secrets failed there, else a look. */
export function commandElsewhere({ id }: Pick<IncidentCourse, 'id'>, part: PartElsewhere): string {
  const { memberRequestId = id, environment, region, outcome, secrets } = part;
  const verb = outcome === 'open' && secrets.some((one) => one.outcome !== 'succeeded') ? 'retry' : 'show';
  return `rekey incident ${verb} ${memberRequestId} --environment ${environment} --region ${region}`;
}
