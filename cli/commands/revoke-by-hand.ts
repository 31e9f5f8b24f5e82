import { assignmentOf, type SecretDefinition } from '../../core/secret/definition.ts';
import { shellWord, unprintable } from '../../core/shell-word.ts';
import { near } from '../../core/suggest.ts';
import { type HandStep, type HandTarget, stepsByHand } from '../../rotators/by-hand.ts';
import { type SecretType, secretTypes } from '../../rotators/registry.ts';
import type { Invocation } from '../context.ts';
import { findDefinition, openEnvironment } from '../environment.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import { isFromService } from '../revocation-request.ts';

/** The facts that a person gives. They go before those of the definition. */
export interface ByHandOptions {
  /** The secret type; with it nothing is read. */
  readonly type?: string;
  readonly fields: Readonly<Record<string, string>>;
}

interface Found {
  readonly type: SecretType;
  readonly target: HandTarget;
  readonly source: 'definition' | 'arguments';
}

/**
 * Runs `rekey revoke --by-hand`: prints the steps that cut a secret off at its target. Nothing is sent, and no value is read. With
 * a type given AWS is not asked at all.
 * @throws CliError `TypeUnknown`
 */
export async function revokeByHand(
  invocation: Invocation,
  name: string,
  options: ByHandOptions,
): Promise<ExitCode> {
  const { output } = invocation;
  const { type, target, source } =
    options.type === undefined
      ? await fromDefinition(invocation, name, options)
      : {
          type: typeOf(options.type),
          target: { secret: name, fields: options.fields },
          source: 'arguments' as const,
        };
  if (source === 'arguments') {
    output.note(
      'The definition of the secret was not read: what was not given is unknown, its admin secret and a second user of a pair among it.',
      'warn',
    );
  }
  const { steps, notes } = stepsByHand[type](target);
  output.document({
    secret: target.secret,
    type,
    source,
    strategy: target.strategy ?? null,
    target: target.fields,
    admin: target.admin?.secret ?? null,
    steps: steps.map(({ aim, in: language, lines, printsLines, note }) => ({
      aim,
      in: language,
      lines,
      printsLines: printsLines === true,
      note: note ?? null,
    })),
    notes,
  });
  output.line(`By hand: ${target.secret} (${type})`, 'strong');
  output.line('Run the steps in this order. Put in what stands in <…>; nothing here is a value.', 'dim');
  for (const note of notes) output.line(`- ${note}`, 'dim');
  for (const [index, step] of steps.entries()) show(invocation, step, index + 1);
  output.line();
  output.line(
    `Afterwards, when Rekey is back, have it replace what was set by hand, and record it: rekey revoke ${shellWord(target.secret)} --mode replace --reason "done by hand" --wait`,
    'dim',
  );
  if (steps.some(({ lines }) => lines.some((line) => unprintable.test(line)))) {
    output.note('A name holds characters that a terminal does not show; take the lines from --json.', 'warn');
  }
  return 0;
}

function show(
  { output }: Invocation,
  { aim, in: language, lines, printsLines, note }: HandStep,
  number: number,
) {
  output.line();
  output.line(`${number}. ${aim}, ${places[language]}`, 'strong');
  if (note !== undefined) output.line(`   ${note}`, 'dim');
  for (const line of lines) output.line(`   ${line}`);
  if (printsLines === true) output.line('   Then run each line that it prints.', 'dim');
}

const places: Readonly<Record<HandStep['in'], string>> = {
  shell: 'in a shell',
  sql: 'in the session as admin',
  'redis-cli': 'in the session as admin',
  http: 'as a request',
};

function typeOf(given: string): SecretType {
  const known = secretTypes.find((type) => type === given);
  if (known !== undefined) return known;
  const [meant] = near(given, secretTypes, 1);
  throw usageError(
    'UsageInvalid',
    `there is no secret type ${JSON.stringify(given.slice(0, 64))}; ${meant === undefined ? `there are ${secretTypes.join(', ')}` : `did you mean ${meant}?`}`,
  );
}

async function fromDefinition(
  invocation: Invocation,
  name: string,
  { fields }: ByHandOptions,
): Promise<Found> {
  try {
    const environment = await openEnvironment(invocation);
    const store = await invocation.cloud.definitions(environment.name);
    const definition = await findDefinition(store, name, environment.name);
    const adminArn = adminOf(definition);
    // An admin secret may be nobody's here; what its definition does not say becomes a placeholder.
    const admin = adminArn === undefined ? undefined : await store.find(adminArn).catch(() => undefined);
    return {
      type: typeOf(definition.type),
      source: 'definition',
      target: {
        secret: definition.name,
        strategy: definition.strategy,
        fields: { ...fieldsOf(definition), ...fields },
        ...(adminArn !== undefined && {
          admin: { secret: admin?.name ?? adminArn, fields: admin === undefined ? {} : fieldsOf(admin) },
        }),
      },
    };
  } catch (error) {
    if (isFromService(error) || explain(error).code.startsWith('Credentials')) {
      invocation.output.note(
        'To go on without AWS, give what you know: --type postgresql --user <name> --host <host>.',
        'warn',
      );
    }
    throw error;
  }
}

/** Gives the fields of the secret's JSON that its deployment knows; of an adopted one only where it names them. */
const fieldsOf = (definition: SecretDefinition): Readonly<Record<string, unknown>> =>
  definition.content?.fields ?? assignmentOf(definition)?.fields ?? {};

const adminOf = ({ content, identity, adminSecret }: SecretDefinition): string | undefined =>
  content?.masterarn ?? identity?.masterarn ?? adminSecret;
