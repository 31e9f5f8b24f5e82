import type { BrakeStore } from '../../core/brake.ts';
import { busName } from '../../core/deployed/names.ts';
import { longestPauseMs } from '../../core/deployed/pause.ts';
import type { EventOrigin } from '../../core/events/create.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import type { SecretTypeDescriptor } from '../../rotators/descriptor.ts';
import { registry, type SecretType } from '../../rotators/registry.ts';
import { engagedBrakes, releaseBrake } from '../brakes.ts';
import type { Invocation } from '../context.ts';
import { confirm, type Environment, findDefinition, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import { formatDuration } from '../time.ts';

/** The secrets of a pause, or of its end. They are those that are named, those of a type, or all of the environment. */
export interface PauseSelection {
  readonly names: readonly string[];
  readonly type?: string;
  readonly all: boolean;
}

export interface PauseOptions extends PauseSelection {
  readonly forMs: number;
  readonly reason: string;
  readonly yes: boolean;
}

/** Number of tags that are set at once; Secrets Manager takes 50 calls of TagResource a second. */
const atOnce = 8;

/**
 * Runs `rekey pause`: no rotation of these secrets begins for a while. One that has begun goes on, and a revocation is not held
 * up.
 */
export async function pause(invocation: Invocation, options: PauseOptions): Promise<ExitCode> {
  const { context, output } = invocation;
  if (options.forMs > longestPauseMs) {
    throw usageError('UsageInvalid', `--for must be at most 30 days, not ${formatDuration(options.forMs)}`);
  }
  const environment = await openEnvironment(invocation);
  const secrets = await select(invocation, environment, options);
  const until = new Date(context.clock.now().getTime() + options.forMs);
  output.note('Plan: pause rotations', 'strong');
  output.noteTable([
    ['  environment', environment.name],
    ['  secrets', described(secrets)],
    ['  until', `${until.toISOString()} (${formatDuration(options.forMs)})`],
    ['  effect', 'no rotation of theirs begins; one that has begun goes on, and revocations are not held up'],
    ['  risk', 'credentials get older than their schedule says'],
  ]);
  await confirm(invocation, options.yes, `Pause the rotations of ${described(secrets)}?`);
  return await change(invocation, environment, secrets, { until, reason: options.reason });
}

export interface ResumeOptions extends PauseSelection {
  readonly reason?: string;
  readonly yes: boolean;
}

/** Runs `rekey resume`: ends a pause, and releases the brakes of the functions that rotate these secrets. */
export async function resume(invocation: Invocation, options: ResumeOptions): Promise<ExitCode> {
  const { cloud, output } = invocation;
  const environment = await openEnvironment(invocation);
  const secrets = await select(invocation, environment, options);
  const brakes = await cloud.brakes(environment.name);
  const engaged = await engagedBrakes(brakes, secrets).catch((error: unknown) => {
    output.note(`the brakes of the functions could not be looked at: ${explain(error).message}`, 'warn');
    return [];
  });
  output.note(`Plan: have rotations of ${described(secrets)} begin again when they are due`, 'strong');
  for (const { state } of engaged) {
    output.note(
      `  the brake of ${state.functionName} is let go, for all of its secrets: one rotation goes first, then the others`,
    );
  }
  if (engaged.length > 0 && options.reason === undefined) {
    throw usageError(
      'UsageInvalid',
      'the brake of a function is engaged: say with --reason why it may be let go',
    );
  }
  await confirm(invocation, options.yes, `Resume the rotations of ${described(secrets)}?`);
  return await change(invocation, environment, secrets, {
    ...(options.reason !== undefined && { reason: options.reason }),
    release: engaged.map(({ name, state: { functionName } }) => ({
      functionName,
      store: brakes.open(name),
    })),
  });
}

/** Change that is made to the secrets: a pause with its end, or none. */
type Wanted =
  | { readonly until: Date; readonly reason: string }
  | {
      readonly until?: undefined;
      readonly reason?: string;
      readonly release: readonly { readonly functionName: string; readonly store: BrakeStore }[];
    };

const described = (secrets: readonly SecretDefinition[]): string => {
  const [first] = secrets;
  return secrets.length === 1 && first !== undefined ? first.name : `${secrets.length} secrets`;
};

async function select(
  { cloud, output }: Invocation,
  environment: Environment,
  { names, type, all }: PauseSelection,
): Promise<readonly SecretDefinition[]> {
  const ways = [names.length > 0, type !== undefined, all].filter(Boolean).length;
  if (ways !== 1) {
    throw usageError(
      'UsageInvalid',
      'name secrets, or a type with --type, or all with --all: one of the three',
    );
  }
  const store = await cloud.definitions(environment.name);
  if (type !== undefined && !Object.hasOwn(registry, type)) {
    throw usageError(
      'UsageInvalid',
      `--type ${JSON.stringify(type.slice(0, 64))} is no type; there are: ${Object.keys(registry).join(', ')}`,
    );
  }
  const found =
    names.length > 0
      ? await Promise.all(names.map((name) => findDefinition(store, name, environment.name)))
      : (await store.list()).filter((definition) => type === undefined || definition.type === type);
  const own = found.filter(({ type: one }) => !isForeign(one));
  for (const { name } of found.filter(({ type: one }) => isForeign(one))) {
    output.note(
      `${name} is rotated by a function that is not Rekey's, which knows of no pause; it is left out`,
      'warn',
    );
  }
  if (own.length === 0) {
    throw new CliError(
      2,
      'UsageInvalid',
      `there is nothing to pause or resume in ${environment.name} by that; see rekey secret list`,
    );
  }
  return own.toSorted((a, b) => a.name.localeCompare(b.name));
}

const isForeign = (type: string): boolean => {
  const entry: SecretTypeDescriptor | undefined = registry[type as SecretType];
  return entry?.foreignFunction === true;
};

/** Records and makes the change, secret by secret; the others go on when one fails. */
async function change(
  { cloud, context, output }: Invocation,
  environment: Environment,
  secrets: readonly SecretDefinition[],
  wanted: Wanted,
): Promise<ExitCode> {
  const [{ createEvent }, { arn: actor }] = await Promise.all([
    import('../../core/events/create.ts'),
    cloud.identity(),
  ]);
  const origin: EventOrigin = {
    source: 'rekey.cli',
    environment: environment.name,
    actor,
    clock: context.clock,
    random: context.random,
  };
  const bus = await cloud.bus(environment.facts.eventBus ?? busName(environment.name));
  const rotations = await cloud.rotations();
  const failures: { readonly name: string; readonly error: unknown }[] = [];
  const queue = [...secrets].values();
  let done = 0;
  const work = async () => {
    for (const { name, arn } of queue) {
      try {
        const subject = { secretArn: arn, secretName: name };
        const links = { correlationId: arn };
        // Recorded first: without a record nothing is done.
        await bus.publish([
          wanted.until === undefined
            ? createEvent(
                origin,
                'Secret Rotation Resumed',
                { ...subject, ...(wanted.reason !== undefined && { reason: wanted.reason }) },
                links,
              )
            : createEvent(
                origin,
                'Secret Rotation Paused',
                { ...subject, until: wanted.until.toISOString(), reason: wanted.reason },
                links,
              ),
        ]);
        await rotations.pause(arn, wanted.until);
        done += 1;
      } catch (error) {
        failures.push({ name, error });
      }
      output.progress(`${done} of ${secrets.length} secrets`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, secrets.length) }, work));
  const released: string[] = [];
  for (const { functionName, store } of wanted.until === undefined ? wanted.release : []) {
    try {
      const why = { functionName, reason: wanted.reason ?? '' };
      await bus.publish([
        createEvent(origin, 'Rotation Function Released', why, { correlationId: functionName }),
      ]);
      await releaseBrake(store);
      released.push(functionName);
    } catch (error) {
      failures.push({ name: functionName, error });
    }
  }
  const outcome = wanted.until === undefined ? 'resumed' : 'paused';
  output.document({
    environment: environment.name,
    outcome,
    until: wanted.until?.toISOString() ?? null,
    secrets: secrets
      .map(({ name }) => name)
      .filter((name) => failures.every((failure) => failure.name !== name)),
    ...(wanted.until === undefined && { released }),
    failed: failures.map(({ name, error }) => ({ name, code: explain(error).code })),
  });
  for (const { name, error } of failures) output.line(`${name}: ${explain(error).message}`, 'bad');
  for (const name of released) output.line(`The brake of ${name} is let go.`, 'good');
  const rest = wanted.until === undefined ? '' : ` until ${wanted.until.toISOString()}`;
  output.line(`${done} of ${secrets.length} ${outcome}${rest}.`, failures.length === 0 ? 'good' : 'warn');
  return failures.length === 0 ? 0 : 3;
}
