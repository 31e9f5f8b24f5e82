import { partsSchema } from '../core/deployed/parts.ts';
import type {
  Cloud,
  DeployedNetwork,
  DeploymentFacts,
  Functions,
  QueueDepth,
} from '../core/operator-ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';
import { type Check, fail, look, ok, warn } from './check.ts';

interface InspectedFunction {
  readonly arn: string;
  readonly state: Awaited<ReturnType<Functions['inspect']>>;
}

const statesOf = async (functions: Functions, arns: readonly string[]): Promise<InspectedFunction[]> =>
  await Promise.all(arns.map(async (arn) => ({ arn, state: await functions.inspect(arn) })));

/** Finds functions that are gone or cannot run. */
const brokenFunctions = (states: readonly InspectedFunction[], name: string): Check[] =>
  states.flatMap(({ arn, state }) => {
    if (state === undefined) {
      return [fail(name, `there is no function ${arn}`, 'deploy the environment again')];
    }
    // An idle function is `Inactive` and wakes up by itself.
    return state.state === 'Failed' || state.lastUpdateStatus === 'Failed'
      ? [
          fail(
            name,
            `${state.name} cannot run: ${state.reason ?? 'its last update failed'}`,
            'deploy the environment again',
          ),
        ]
      : [];
  });

/** Checks that a queue of dead letters is empty. */
export function deadLetterCheck(
  name: string,
  { visible, inFlight, delayed }: QueueDepth,
  advice: string,
): Check {
  const count = visible + inFlight + delayed;
  return count > 0 ? fail(name, `${count} messages that nobody could handle`, advice) : ok(name, 'empty');
}

/** Checks that every rotation and containment function can run, and that each network holds a function. */
export async function functionChecks(
  functions: Functions,
  definitions: readonly SecretDefinition[],
  networks: readonly DeployedNetwork[],
): Promise<readonly Check[]> {
  const arns = new Set(
    definitions.flatMap(({ rotationFunction, containmentFunction }) => [
      rotationFunction,
      containmentFunction,
    ]),
  );
  const states = await statesOf(functions, [...arns]);
  const problems = brokenFunctions(states, 'function');
  const used = new Set(states.flatMap(({ state }) => state?.securityGroups ?? []));
  const left = networks
    .filter(({ securityGroup }) => !used.has(securityGroup))
    .map(({ stack }) =>
      warn(
        'network',
        `no function is in the network of the stack ${stack}, whose endpoints cost by the hour`,
        `if the configuration no longer has it: aws cloudformation delete-stack --stack-name ${stack}`,
      ),
    );
  return [
    ...(problems.length > 0
      ? problems
      : [ok('functions', `${arns.size} rotation and containment functions can run`)]),
    ...left,
  ];
}

/** Checks that the functions of the environment's parts can run, and that they left nothing behind. */
export async function partChecks(
  cloud: Pick<Cloud, 'functions' | 'queues'>,
  { parts }: DeploymentFacts,
): Promise<readonly Check[]> {
  const known = Object.entries(partsSchema.parse(JSON.parse(parts ?? '{}')));
  const checks = known.map(async ([part, { functions, deadLetters }]) => [
    ...(await look(part, async () => {
      const problems = brokenFunctions(await statesOf(await cloud.functions(), functions), part);
      const count = `${functions.length} ${functions.length === 1 ? 'function' : 'functions'} can run`;
      return problems.length > 0 ? problems : [ok(part, count)];
    })),
    ...(deadLetters === undefined
      ? []
      : await look(`${part} dead letters`, async () => [
          deadLetterCheck(
            `${part} dead letters`,
            await (await cloud.queues()).depth(deadLetters),
            'look at the log of the function, remove the cause, then redrive or empty this queue',
          ),
        ])),
  ]);
  return (await Promise.all(checks)).flat();
}
