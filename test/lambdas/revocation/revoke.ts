import {
  type ContainmentInput,
  containmentInputSchema,
  workflowInputSchema,
} from '../../../core/deployed/revocation-state.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { takeRequest } from '../../../lambdas/revocation/intake.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { report } from '../../../lambdas/revocation/report.ts';
import { rotateStep } from '../../../lambdas/revocation/rotate.ts';
import { execute } from './states.ts';
import type { Execution } from './states-language.ts';
import { requestEvent, type World } from './world.ts';

/** Sends a request through intake, workflow and functions. */
export async function revoke(
  world: World,
  data: Record<string, unknown> = {},
  afterContainment: (input: ContainmentInput) => void | Promise<void> = () => undefined,
): Promise<Execution> {
  let execution: Execution | undefined;
  const contain = async (input: unknown) => {
    await world.wait(10);
    const parsed = containmentInputSchema.parse(input);
    const act = parsed.action === 'contain' ? containLeaks : verifyLeaks;
    try {
      return await act(parsed, world.containment());
    } finally {
      await afterContainment(parsed);
    }
  };
  const functions = () => ({
    ...(!world.containmentGone && { [world.definition.containmentFunction]: contain }),
    rotate: async (input: unknown) =>
      rotateStep(workflowInputSchema.parse(input), {
        ...world,
        store: world.seen,
        definitions: world.intake().definitions,
      }),
    report: async (input: unknown) => report(input, { bus: world.bus, origin: world.origin() }),
  });
  await takeRequest(
    requestEvent({}, data),
    world.intake({
      starter: {
        start: async (_, input) => {
          execution = await execute(functions, JSON.parse(input));
          return 'started';
        },
      },
    }),
  );
  if (execution === undefined) {
    throw new Error('the workflow was not started');
  }
  return execution;
}
