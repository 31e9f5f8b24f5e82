import type { IncidentCourse } from '../../core/incident/incident-course.ts';
import { isNamed, rootOf } from '../../core/incident/retries.ts';
import { isUnderWay, type SecretCourse } from '../../core/incident/secret-course.ts';
import { type SecretType, secretTypes } from '../../rotators/registry.ts';
import type { Invocation } from '../context.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { clockTime, wordOfState } from '../incident-words.ts';
import { containmentTraces } from '../restore-words.ts';
import { type IncidentSource, readIncident } from './incident.ts';

export interface RestoreOptions extends IncidentSource {
  /** Id of the request for the revocation, or of its plan, or the incident's name. */
  readonly request: string;
}

/**
 * Runs `rekey secret restore`: says what a revocation cut off, and what makes the secret work again. It changes nothing. What a
 * containment disables is the credential that was said to have leaked, and only a rotation, with another credential, ends that.
 */
export async function secretRestore(
  invocation: Invocation,
  name: string,
  options: RestoreOptions,
): Promise<ExitCode> {
  const { output } = invocation;
  const { records, incident } = await readIncident(invocation, options.request, options);
  const course = courseOf(incident, name, options.request);
  const type = await typeOf(invocation, course);
  const works = course.state === 'revoked' || course.state === 'unproven';
  const ways = waysOut(course, incident);
  output.document({
    environment: records.environment,
    incident: incident.id,
    secret: course.secretName,
    requestId: course.requestId,
    state: course.state,
    restorable: false,
    cutOffs: course.cutOffs,
    replaced: works,
    newVersionId: course.newVersionId ?? null,
    type: type ?? null,
    trace: type === undefined ? null : containmentTraces[type],
    waysOut: ways,
  });
  output.table(
    [],
    [
      ['secret', course.secretName],
      ['revocation', `${course.requestId}, ${wordOfState(course)}`],
      ['asked for', clockTime(course.requestedAt)],
      ...(course.reason === undefined ? [] : [['reason', course.reason]]),
      ...course.cutOffs.map(({ identity, loginsRefused, sessionsEnded = 0, note }, index) => [
        index === 0 ? 'cut off' : '',
        `${identity}: ${loginsRefused ? 'refused' : 'NOT refused'}, ${sessionsEnded} sessions ended${note === undefined ? '' : `; ${note}`}`,
      ]),
      ...(course.cutOffs.length === 0 ? [['cut off', 'nothing that is recorded']] : []),
      ['new version', works ? (course.newVersionId ?? 'not recorded') : 'none that is proven'],
    ],
  );
  output.line();
  if (type !== undefined) output.line(containmentTraces[type]);
  output.line(
    course.state === 'revoked'
      ? 'Nothing is left to restore: the new credential was seen to work after the rotation. What was cut off is what was said to have leaked, and it never comes back.'
      : 'Nothing can be restored: what was cut off is what was said to have leaked, and it never comes back. Another credential takes its place:',
    course.state === 'revoked' ? 'good' : 'warn',
  );
  for (const way of ways) output.line(`  ${way}`);
  return course.state === 'revoked' ? 0 : 1;
}

/** Finds the revocation of a secret: that of the request itself, or else the last one in the incident. */
function courseOf(incident: IncidentCourse, name: string, request: string): SecretCourse {
  const ofSecret = incident.secrets.filter((course) => isNamed(course, [name]));
  const found =
    ofSecret.find((course) => course.requestId === request || rootOf(course) === request) ?? ofSecret.at(-1);
  if (found !== undefined) return found;
  throw usageError(
    'SecretUnknown',
    `the incident ${incident.id} has no revocation of ${JSON.stringify(name.slice(0, 256))}; it has ${[...new Set(incident.secrets.map(({ secretName }) => secretName))].join(', ') || 'none'}`,
  );
}

/** Reads the type of a secret from its definition. It is undefined where that cannot be read. */
async function typeOf(
  { cloud, environment }: Invocation,
  { secretArn, secretName }: SecretCourse,
): Promise<SecretType | undefined> {
  try {
    const [only] =
      environment === undefined ? await (await cloud.deployments()).environments() : [environment];
    const definition = await (await cloud.definitions(only ?? '')).find(secretArn ?? secretName);
    return secretTypes.find((type) => type === definition?.type);
  } catch {
    return undefined;
  }
}

/** Lists the commands by which the secret works again, or is seen to work. */
function waysOut(course: SecretCourse, { id }: IncidentCourse): readonly string[] {
  const { secretName } = course;
  if (isUnderWay(course)) return [`rekey incident show ${id} --follow    until it has ended`];
  switch (course.state) {
    case 'revoked':
      return [];
    case 'failed':
      return [
        `rekey incident retry ${id} --secret ${secretName}    replaces it, and proves the old one dead`,
        `rekey secret rotate ${secretName} --wait    replaces it alone, where nothing had leaked`,
      ];
    case 'unproven':
      return [`rekey secret show ${secretName}    the new version is current; consumers read it`];
    default:
      return [`rekey secret show ${secretName}    nothing was done: the request was rejected or refused`];
  }
}
