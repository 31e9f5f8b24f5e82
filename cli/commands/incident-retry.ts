import { busName } from '../../core/deployed/names.ts';
import type { RevocationMode, RevocationRequest } from '../../core/events/catalogue.ts';
import { type PartsLeft, partsLeft } from '../../core/incident/elsewhere.ts';
import type { IncidentCourse } from '../../core/incident/incident-course.ts';
import { isNamed, ledTo, type Retry, retriesOf, rootOf } from '../../core/incident/retries.ts';
import { isOpen, isUnderWay, reachOf, type SecretCourse } from '../../core/incident/secret-course.ts';
import { mostNamedSecrets } from '../../core/revocation/selection.ts';
import { approvalFacts, whoMayAnswer } from '../approvals.ts';
import type { Invocation } from '../context.ts';
import { commandElsewhere, placeText } from '../elsewhere-words.ts';
import { confirm, type Environment, openEnvironment } from '../environment.ts';
import { type ExitCode, usageError } from '../errors.ts';
import {
  actorOf,
  approvalRows,
  neededApproval,
  proveAuthor,
  publishRequest,
  requestEvent,
  requireGlass,
} from '../revocation-request.ts';
import { type IncidentSource, readIncident } from './incident.ts';

export interface RetryOptions extends IncidentSource {
  /** Names or ARNs of the secrets that are meant; empty for all that are open. */
  readonly secrets: readonly string[];
  /** Mode of the retry. @default - that of the former request */
  readonly mode?: RevocationMode;
  /** Reason of the retry. @default - that of the former request */
  readonly reason?: string;
  readonly breakGlass: boolean;
  readonly yes: boolean;
}

/** Versions that a request may name; a secret that has more is tried again by the time alone. */
const mostNamedVersions = 100;

/** A request that tries again what a former one left open. */
interface Again {
  readonly former: string;
  readonly secrets: readonly SecretCourse[];
  readonly asOf: Date;
  readonly data: RevocationRequest;
}

/**
 * Runs `rekey incident retry`: revokes again what failed or stayed unproven. All else is left as it is. Each former request leads to one
 * new request, with the versions that leaked then. Sent twice it is one request, so its work is done once. Parts of environments
 * elsewhere are tried again there; they are named, and keep it from being a success.
 */
export async function incidentRetry(
  invocation: Invocation,
  id: string,
  options: RetryOptions,
): Promise<ExitCode> {
  const { output, cloud } = invocation;
  const { incident } = await readIncident(invocation, id, options);
  requireKnown(incident, options.secrets);
  const again = retriesOf(incident.secrets, options.secrets).flatMap((retry) =>
    portionsOf(retry).map((portion) => againOf(portion, incident, options)),
  );
  // Who names secrets means those of the own environment.
  const parts = options.secrets.length === 0 ? partsLeft(incident) : { underWay: [], open: [] };
  if (again.length === 0) return nothingToRetry(invocation, incident, options.secrets, parts);
  const environment = await openEnvironment(invocation);
  const approvals = await approvalFacts(environment);
  const count = again.reduce((sum, { secrets }) => sum + secrets.length, 0);
  const asked = (mode: RevocationMode) => ({ mode, breakGlass: options.breakGlass });
  requireGlass({ environment: environment.name, approvals }, asked('kill'));
  for (const one of again) {
    showPlan(invocation, environment.name, one);
    output.noteTable(approvalRows(approvals, asked(one.data.mode)));
  }
  await confirm(
    invocation,
    options.yes,
    `Revoke ${count} secret${count === 1 ? '' : 's'} of ${incident.id} again in ${environment.name}?`,
  );
  const actor = await actorOf(invocation);
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  const requests = [];
  for (const one of again) {
    const event = await requestEvent(invocation, environment.name, actor, one.data, {
      correlationId: one.secrets[0]?.correlationId ?? one.former,
      causationId: one.former,
      fact: factOf(one, incident),
    });
    const approval = neededApproval(approvals, asked(one.data.mode));
    if (approval !== undefined) await proveAuthor(invocation, environment.name, approval, event);
    await publishRequest(bus, event, await ownerOf(invocation, environment, one));
    const requestId = event.detail.metadata.id;
    requests.push({
      requestId,
      retries: one.former,
      mode: one.data.mode,
      asOf: one.asOf.toISOString(),
      secrets: one.secrets.map(({ secretName }) => secretName),
    });
    output.line(
      `Requested again: ${one.secrets.length} secret${one.secrets.length === 1 ? '' : 's'}, request ${requestId}`,
    );
    if (approval !== undefined) {
      output.note(
        `It waits for ${whoMayAnswer(approval.approvers)}, for ${approval.minutes} minutes: rekey approval approve ${requestId}`,
        'warn',
      );
    }
  }
  output.document({
    environment: environment.name,
    incident: incident.id,
    outcome: 'requested',
    requests,
    elsewhere: documentsOf(incident, parts),
  });
  output.note(`It goes on by itself; rekey incident show ${incident.id} --follow shows how it ends.`, 'dim');
  return nameParts(invocation, incident, parts);
}

/** Names the parts elsewhere that are open, each with the command to run there. */
function nameParts({ output }: Invocation, incident: IncidentCourse, { open }: PartsLeft): ExitCode {
  if (open.length === 0) return 0;
  output.note('Not tried again from here; in the account of each part run:', 'warn');
  for (const part of open) {
    const end = part.outcome ?? 'no end is recorded';
    output.note(`  ${placeText(part)}: ${end}; ${commandElsewhere(incident, part)}`, 'warn');
  }
  return 1;
}

const documentsOf = (incident: IncidentCourse, { open }: PartsLeft) =>
  open.map((part) => {
    const { member, environment, account, region, memberRequestId, outcome } = part;
    const [requestId, end] = [memberRequestId ?? null, outcome ?? null];
    const command = commandElsewhere(incident, part);
    return { member, environment, account, region, requestId, outcome: end, command };
  });

/** Demands that each name is of a secret of the incident, so that a slip looks like one. */
function requireKnown({ id, secrets }: IncidentCourse, names: readonly string[]): void {
  const unknown = names.find((name) => !secrets.some((secret) => isNamed(secret, [name])));
  if (unknown === undefined) return;
  throw usageError(
    'SecretUnknown',
    `the incident ${id} has no secret ${JSON.stringify(unknown.slice(0, 256))}; it has ${[...new Set(secrets.map(({ secretName }) => secretName))].join(', ')}`,
  );
}

function nothingToRetry(
  invocation: Invocation,
  incident: IncidentCourse,
  names: readonly string[],
  parts: PartsLeft,
): ExitCode {
  const { output } = invocation;
  const meant = incident.secrets.filter((secret) => names.length === 0 || isNamed(secret, names));
  const running = meant.filter(isUnderWay).length + parts.underWay.length;
  const others = meant.filter((secret) => isOpen(secret) && !isUnderWay(secret));
  output.document({
    incident: incident.id,
    outcome: 'nothing',
    requests: [],
    elsewhere: documentsOf(incident, parts),
  });
  const left = parts.open.length;
  output.line(
    left > 0
      ? `Nothing to retry in ${incident.id} here, and ${left} part${left === 1 ? '' : 's'} elsewhere ${left === 1 ? 'is' : 'are'} open.`
      : running > 0
        ? `Nothing to retry in ${incident.id} now: ${running} of its revocations are under way.`
        : `Nothing to retry in ${incident.id}: no revocation of it failed or stayed unproven.`,
    left > 0 ? 'warn' : 'good',
  );
  if (others.length > 0) {
    output.note(
      `Not begun, since the request was rejected: ${others.map(({ secretName }) => secretName).join(', ')}; send it again with rekey revoke.`,
      'warn',
    );
  }
  return nameParts(invocation, incident, parts);
}

/** Divides what one former request left open into as many requests as it takes. */
const portionsOf = ({ requestId, secrets }: Retry): Retry[] =>
  Array.from({ length: Math.ceil(secrets.length / mostNamedSecrets) }, (_, index) => ({
    requestId,
    secrets: secrets.slice(index * mostNamedSecrets, (index + 1) * mostNamedSecrets),
  }));

function againOf(
  { requestId, secrets }: Retry,
  { names, plans, drill: anyDrill }: IncidentCourse,
  options: RetryOptions,
): Again {
  const plan = plans.find((one) => one.requestId === requestId);
  const said = secrets.find(({ mode }) => mode !== undefined);
  const asOf = new Date(Math.max(...secrets.map(triedUntil), plan?.takenAt ?? 0));
  const mode = options.mode ?? modeIn(said?.mode ?? plan?.mode);
  const reason = options.reason ?? said?.reason ?? plan?.reason ?? 'a revocation that failed is tried again';
  const [name] = names;
  return {
    former: requestId,
    secrets,
    asOf,
    data: {
      ...selectionOf(secrets, plan !== undefined),
      mode,
      asOf: asOf.toISOString(),
      reason,
      ...(name !== undefined && { incident: name }),
      drill: said?.drill ?? anyDrill,
      ...(options.breakGlass && { breakGlass: true }),
    },
  };
}

/**
 * Gives the time up to which the first try counted versions as leaked. It is when the try was taken, or when it cut them off, where it
 * listed them itself before it made its own. Between the two a second person may have taken an hour.
 */
function triedUntil(secret: SecretCourse): number {
  const { versions, containedAt = 0, rotatedAt = Number.POSITIVE_INFINITY } = secret;
  return Math.max(reachOf(secret), versions === undefined && containedAt < rotatedAt ? containedAt : 0);
}

const modeIn = (text: string | undefined): RevocationMode => (text === 'replace' ? 'replace' : 'kill');

/**
 * Selects the secrets with the versions that leaked. Those that a request for one secret found may be gone by now, and are named
 * beside the selection; those that were named, or are of a plan, must be there.
 */
function selectionOf(
  secrets: readonly SecretCourse[],
  planned: boolean,
): Pick<RevocationRequest, 'select' | 'versions' | 'asOf'> {
  const named = (secret: SecretCourse) => {
    const versions = secret.versions ?? [];
    return versions.length > 0 && versions.length <= mostNamedVersions ? [...versions] : undefined;
  };
  const idOf = ({ secretArn, secretName }: SecretCourse) => secretArn ?? secretName;
  const [only, ...others] = secrets;
  if (only !== undefined && others.length === 0 && !planned && only.ofAll) {
    const versions = named(only);
    return { select: { secret: idOf(only) }, ...(versions !== undefined && { versions }) };
  }
  return {
    select: {
      secrets: secrets.map((secret) => {
        const versions = named(secret);
        return { secret: idOf(secret), ...(versions !== undefined && { versions }) };
      }),
    },
  };
}

/**
 * Names a retry, so that sent twice it is one request. What was tried again and rejected meanwhile makes it another one, since a
 * workflow takes an id once.
 */
function factOf({ former, secrets, data }: Again, { causes, secrets: all, plans }: IncidentCourse): string {
  const rejected = [
    ...all.filter(({ state }) => state === 'rejected' || state === 'not approved').map(rootOf),
    ...plans.filter(({ outcome }) => outcome === 'rejected').map(({ requestId }) => requestId),
  ].filter((one) => ledTo(former, one, causes));
  const attempts = secrets.map(({ requestId }) => requestId);
  return ['retry', former, ...attempts, ...new Set(rejected), JSON.stringify(data)].join('\n');
}

/** Finds the owner of the secrets, as whom a responder may ask. It is undefined where they have several, or none is known. */
async function ownerOf(
  { cloud }: Invocation,
  { name }: Environment,
  { secrets }: Again,
): Promise<string | undefined> {
  try {
    const definitions = await cloud.definitions(name);
    const found = await Promise.all(
      secrets.map(({ secretArn, secretName }) => definitions.find(secretArn ?? secretName)),
    );
    const owners = [...new Set(found.map((definition) => definition?.owner))];
    return owners.length === 1 ? owners[0] : undefined;
  } catch {
    return undefined;
  }
}

function showPlan({ output }: Invocation, environment: string, { former, secrets, asOf, data }: Again): void {
  output.note(data.drill ? 'Plan: revoke again (drill)' : 'Plan: revoke again', 'strong');
  output.noteTable([
    ['  environment', environment],
    ['  former request', former],
    ['  mode', { text: data.mode, tone: data.mode === 'kill' ? 'bad' : 'warn' }],
    ['  reason', data.reason],
    ...(data.incident === undefined ? [] : [['  incident', data.incident]]),
    ...secrets.map((secret, index) => [
      index === 0 ? '  secrets' : '',
      `${secret.secretName}: ${secret.state}${secret.error === undefined ? '' : `, ${secret.error.code}`}; ${versionsOf(secret, asOf)}`,
    ]),
  ]);
}

const versionsOf = ({ versions = [] }: SecretCourse, asOf: Date): string =>
  versions.length === 0
    ? `all versions up to ${asOf.toISOString()}`
    : `${versions.length === 1 ? 'version' : 'versions'} ${versions.join(', ')}`;
