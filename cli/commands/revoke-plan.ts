import { busName } from '../../core/deployed/names.ts';
import type { PlanPreview } from '../../core/deployed/plan-preview.ts';
import type { RevocationRequest } from '../../core/events/catalogue.ts';
import type { PlannedMember, PlanReads } from '../../core/revocation/plan.ts';
import { type Selection, selectionText } from '../../core/revocation/selection.ts';
import { approvalFacts, whoMayAnswer } from '../approvals.ts';
import type { Invocation } from '../context.ts';
import { confirm, type Environment, fact, openEnvironment } from '../environment.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import type { Cell } from '../output.ts';
import { followPlan, type PlanEnd } from '../plan-progress.ts';
import {
  actorOf,
  approvalRows,
  isFromService,
  neededApproval,
  proveAuthor,
  publishRequest,
  type RequestOptions,
  requestEvent,
  requestOf,
  requireGlass,
  waitDescription,
} from '../revocation-request.ts';
import { formatDuration } from '../time.ts';

export interface RevokePlanOptions extends RequestOptions {
  readonly select: Selection;
  /** Versions that leaked, of the one secret that is named; empty for all that exist. */
  readonly versions: readonly string[];
  /** True to take along what the selected secrets lead to. */
  readonly chain: boolean;
  /** Environments elsewhere that it is about, too. */
  readonly members?: 'all' | readonly string[];
  /** True to show the plan, and ask for nothing. */
  readonly planOnly: boolean;
}

/** Secrets that a plan for people names; `--json` names all. */
const mostShown = 40;

/**
 * Runs `rekey revoke` for what may be several secrets: shows the plan, asks, and has exactly that plan run. With `--plan`, it
 * shows the plan only.
 */
export async function revokePlan(invocation: Invocation, options: RevokePlanOptions): Promise<ExitCode> {
  const { cloud, output } = invocation;
  const environment = await openEnvironment(invocation);
  const approvals = await approvalFacts(environment);
  const { select, versions, chain } = options;
  requireGlass({ environment: environment.name, approvals }, options);
  const preview = await previewOf(invocation, environment, options);
  if (preview !== undefined) showPlan(invocation, environment.name, options, preview);
  if (options.planOnly) {
    output.document({ environment: environment.name, selection: selectionText(select), ...preview });
    return preview === undefined ? 3 : 0;
  }
  if (preview !== undefined) output.noteTable(approvalRows(approvals, options));
  const count = preview === undefined ? 'all' : String(countOf(preview));
  await confirm(
    invocation,
    options.yes,
    `${options.mode === 'kill' ? 'Kill' : 'Replace'} ${count} secret${count === '1' ? '' : 's'} in ${environment.name}${whereElse(options)}: ${selectionText(select)}?`,
  );
  const request: RevocationRequest = {
    select,
    ...requestOf(options),
    // A plan is asked for in any case; of a single secret, too, what runs is what was shown.
    chain,
    ...(preview !== undefined && { plan: preview.digest }),
    ...membersOf(options, preview),
    ...(versions.length > 0 && { versions: [...versions] }),
  };
  const event = await requestEvent(invocation, environment.name, await actorOf(invocation), request);
  const { id, time } = event.detail.metadata;
  const approval = neededApproval(approvals, options);
  if (approval !== undefined) await proveAuthor(invocation, environment.name, approval, event);
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  const owners = [...new Set(preview?.plan.secrets.map(({ owner }) => owner))];
  const asked = 'owner' in select ? select.owner : undefined;
  await publishRequest(bus, event, owners.length === 1 ? owners[0] : asked);
  const facts = {
    environment: environment.name,
    selection: selectionText(select),
    requestId: id,
    requestedAt: time,
    mode: options.mode,
    drill: options.drill,
    secrets: preview === undefined ? null : countOf(preview),
    tasks: preview === undefined ? null : tasksOf(preview),
  };
  if (!options.wait) {
    output.document({ ...facts, outcome: 'requested' });
    output.line(`Requested the revocation of ${selectionText(select)}: ${id}`);
    output.note(
      approval === undefined
        ? `It goes on by itself; --wait follows it, rekey incident show ${id} says how far it is.`
        : `It waits for ${whoMayAnswer(approval.approvers)}, for ${approval.minutes} minutes: rekey approval approve ${id}`,
      approval === undefined ? 'dim' : 'warn',
    );
    if ('principal' in select) suggestQuarantine(invocation, environment, select.principal);
    return 0;
  }
  const end = await followPlan(invocation, {
    workflowArn: fact(environment, 'planWorkflowArn'),
    requestId: id,
    requestedAt: new Date(time),
    timeoutMs: options.timeoutMs + (approval?.minutes ?? 0) * 60_000,
    ...(approval !== undefined && { describe: waitDescription(invocation, environment.name, approval, id) }),
    ...(environment.facts.revocationIntakeLogGroup !== undefined && {
      intakeLogGroup: environment.facts.revocationIntakeLogGroup,
    }),
  });
  output.clearProgress();
  output.document({ ...facts, ...end });
  report(invocation, id, end, preview);
  if ('principal' in select) suggestQuarantine(invocation, environment, select.principal);
  return end.outcome === 'proven' ? 0 : 1;
}

/** Says how the principal itself is cut off, whose sessions go on when what it could read is revoked. */
function suggestQuarantine({ output }: Invocation, { facts }: Environment, principal: string): void {
  if (facts.quarantine === undefined) return;
  output.note(`Its own sessions go on: rekey quarantine principal ${principal} --reason "…"`, 'warn');
}

/**
 * Asks for the plan. An emergency goes on without it where the function that shows plans does not answer; what is found is
 * checked when the request arrives.
 */
async function previewOf(
  { cloud, output }: Invocation,
  environment: Environment,
  { select, mode, chain, members, versions, planOnly }: RevokePlanOptions,
): Promise<PlanPreview | undefined> {
  try {
    const plans = await cloud.plans();
    return await plans.preview(fact(environment, 'planPreviewFunction'), {
      select,
      mode,
      chain,
      ...(members !== undefined && { members: members === 'all' ? members : [...members] }),
      ...(versions.length > 0 && { versions: [...versions] }),
    });
  } catch (error) {
    const { code, message } = explain(error);
    if (code === 'SelectionEmpty' || code === 'SecretUnknown' || code === 'MemberUnknown')
      throw usageError(code, message);
    if (planOnly || !isFromService(error)) throw error;
    output.note(`The plan could not be shown: ${message}`, 'warn');
    output.note('The request can be sent all the same; what it finds is planned when it arrives.', 'warn');
    return undefined;
  }
}

function showPlan(
  { output }: Invocation,
  environment: string,
  options: RevokePlanOptions,
  { plan, beyond }: PlanPreview,
): void {
  const { secrets, steps } = plan;
  const tasks = tasksOf({ plan });
  output.note(options.drill ? 'Plan: revoke (drill)' : 'Plan: revoke', 'strong');
  output.noteTable([
    ['  environment', environment],
    ['  selection', selectionText(options.select)],
    ['  secrets', `${secrets.length}, at ${new Set(secrets.map(({ target }) => target)).size} targets`],
    ['  mode', { text: plan.mode, tone: plan.mode === 'kill' ? 'bad' : 'warn' }],
    ['  reason', options.reason],
    ...(options.incident === undefined ? [] : [['  incident', options.incident]]),
  ]);
  output.note('Order', 'strong');
  output.noteTable(
    steps.map(({ phase, lanes }, index) => {
      const names = lanes.flatMap((lane) => lane.secrets);
      const targets = new Set(lanes.map(({ target }) => target)).size;
      return [
        `  ${index + 1}`,
        phaseWords[phase],
        `${names.length} secret${names.length === 1 ? '' : 's'}, ${lanes.length} at once, ${targets} target${targets === 1 ? '' : 's'}`,
      ];
    }),
  );
  output.note('Secrets', 'strong');
  output.noteTable(
    secrets
      .slice(0, mostShown)
      .map(({ name, target, because, breaks, readAt }) => [
        `  ${name}`,
        target,
        [...because, ...(readAt === undefined ? [] : [`read at ${readAt}`])].join('; '),
        breaks,
      ]),
  );
  if (secrets.length > mostShown) {
    output.note(`  and ${secrets.length - mostShown} more: --plan --json names all`, 'dim');
  }
  if (plan.reads !== undefined) output.note(...readsText(plan.reads));
  if (plan.elsewhere !== undefined) {
    output.note('Elsewhere; each environment revokes its own part by itself', 'strong');
    output.noteTable(plan.elsewhere.members.map(memberRow));
  }
  if (tasks.length > 0) {
    output.note('Left to people; the incident stays open until they are done', 'strong');
    output.noteTable(tasks.map(({ id, task, via }) => [`  ${id}`, { text: task, tone: 'warn' }, via]));
  }
  if (beyond > 0) {
    output.note(
      `Whoever holds these gets at ${beyond} secret${beyond === 1 ? '' : 's'} more, which --chain takes along.`,
      'warn',
    );
  }
}

/** Says how far the plan knows who really read. */
function readsText({ trail, since, until }: PlanReads): [string, 'dim' | 'warn'] {
  if (trail === 'off') {
    return [
      'Who really read is unknown: the environment has no trail. The plan goes by what IAM lets it read.',
      'warn',
    ];
  }
  if (trail === 'unreadable') {
    return [
      'Who really read could not be asked. The plan goes by what IAM lets it read; rekey doctor says why.',
      'warn',
    ];
  }
  return since === undefined || until === undefined
    ? ['Who really read is unknown: nothing was taken out of the trail yet.', 'warn']
    : [`Reads are known by CloudTrail from ${since} to ${until}.`, 'dim'];
}

const countOf = ({ plan: { secrets, elsewhere } }: Pick<PlanPreview, 'plan'>): number =>
  secrets.length + (elsewhere?.members ?? []).reduce((sum, member) => sum + member.secrets.length, 0);

const tasksOf = ({ plan: { tasks, elsewhere } }: Pick<PlanPreview, 'plan'>) => [
  ...tasks,
  ...(elsewhere?.tasks ?? []),
];

const whereElse = ({ members }: RevokePlanOptions): string =>
  members === undefined ? '' : members === 'all' ? ' and all its members' : `, ${members.join(', ')}`;

/** Gives the part of the request about environments elsewhere: each runs what was shown of it. */
function membersOf(
  { members }: RevokePlanOptions,
  preview: PlanPreview | undefined,
): Pick<RevocationRequest, 'members' | 'memberPlans'> {
  if (members === undefined) return {};
  const shown = (preview?.plan.elsewhere?.members ?? []).flatMap(({ name, digest }) =>
    digest === undefined ? [] : [[name, digest] as const],
  );
  return {
    members: members === 'all' ? members : [...members],
    ...(shown.length > 0 && { memberPlans: Object.fromEntries(shown) }),
  };
}

function memberRow({ name, secrets, tasks, unreachable, ...place }: PlannedMember): Cell[] {
  const { environment, account, region } = place;
  const where = [`  ${name}`, `${environment} in ${account}, ${region}`];
  if (unreachable !== undefined) {
    return [
      ...where,
      { text: `could not be asked (${unreachable}); its part is sent all the same`, tone: 'bad' },
    ];
  }
  const names = secrets.slice(0, 3).map((secret) => secret.name);
  const more = secrets.length > names.length ? `, and ${secrets.length - names.length} more` : '';
  return [
    ...where,
    secrets.length === 0
      ? 'has no such secret'
      : `${secrets.length}: ${names.join(', ')}${more}${tasks === 0 ? '' : `; ${tasks} tasks for people there`}`,
  ];
}

const phaseWords = {
  contain: 'cut off at the target, end sessions',
  'contain again': 'cut off what could not be cut off yet',
  replace: 'replace, cut off what came in between, prove',
} as const;

function report({ output }: Invocation, id: string, end: PlanEnd, preview: PlanPreview | undefined): void {
  const { succeeded, unproven, failed, openTasks } = end;
  const count = preview === undefined ? undefined : countOf(preview);
  if (end.outcome === 'proven') {
    output.line(
      `Revoked ${succeeded ?? count} secrets: every old credential is refused at its target.`,
      'good',
    );
  } else if (end.outcome === 'open') {
    output.line(`The revocation ${id} is through, and not concluded: a person must act.`, 'bad');
  } else if (end.outcome === 'rejected') {
    output.line(`The revocation ${id} was rejected: ${end.error?.code}: ${end.error?.message}`, 'bad');
    output.note('Nothing was done: the credentials still work. Mend the request and send it again.', 'bad');
  } else if (end.outcome === 'not started') {
    output.line(`The revocation ${id} was not taken up.`, 'bad');
    output.note(
      'Either it was rejected (rekey audit tail --since 10m says why), or the intake does not work (rekey doctor).',
    );
  } else {
    output.line(`The revocation ${id} has not ended.`, 'bad');
    output.note(`It goes on by itself; rekey incident show ${id} says how far it is.`);
  }
  const after = (ms: number | undefined) =>
    ms === undefined ? undefined : `${formatDuration(ms)} after the request`;
  output.table(
    [],
    [
      ['  proven', succeeded?.toString()],
      ['  not proven', unproven === 0 ? undefined : unproven?.toString()],
      ['  failed', failed === 0 ? undefined : failed?.toString()],
      ['  tasks for people', openTasks === 0 ? undefined : openTasks?.toString()],
      ['  all refused', after(end.timeToContainmentMs)],
      ['  completed', after(end.completedMs)],
    ].filter((row): row is [string, string] => row[1] !== undefined),
  );
  if (end.outcome === 'open') output.note(`rekey incident show ${id} names what is open.`, 'bad');
}
