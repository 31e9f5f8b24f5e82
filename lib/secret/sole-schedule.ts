import { Stack, Token } from 'aws-cdk-lib';
import { CfnRotationSchedule, CfnSecretTargetAttachment } from 'aws-cdk-lib/aws-secretsmanager';
import type { IConstruct } from 'constructs';

/** Schedules of Rekey by the app that they are in. */
const ours = new WeakMap<IConstruct, Set<CfnRotationSchedule>>();

/**
 * Has the synth refuse another rotation schedule of the same secret in the app, such as that of `cluster.addRotationSingleUser()`.
 * Secrets Manager keeps one, so the deploy would leave the secret to whichever function comes last.
 */
export function requireSoleSchedule(schedule: CfnRotationSchedule): void {
  const { root } = schedule.node;
  const known = ours.get(root);
  if (known !== undefined) {
    known.add(schedule);
    return;
  }
  const all = new Set([schedule]);
  ours.set(root, all);
  // Once for the whole app, since it looks at every construct.
  root.node.addValidation({ validate: () => findOthers(root, all) });
}

function findOthers(root: IConstruct, own: ReadonlySet<CfnRotationSchedule>): string[] {
  const constructs = root.node.findAll();
  // A secret is known by its own ARN and by that of its attachment to a database.
  const attached = new Map(
    constructs
      .filter((each) => each instanceof CfnSecretTargetAttachment)
      .map((each) => [identityOf(each, each.ref), identityOf(each, each.secretId)]),
  );
  const secretOf = (each: CfnRotationSchedule): string => {
    const named = identityOf(each, each.secretId);
    return attached.get(named) ?? named;
  };
  const all = constructs.filter((each) => each instanceof CfnRotationSchedule);
  return [...Map.groupBy(all, secretOf).values()].flatMap((ofSecret) => {
    const mine = ofSecret.find((each) => own.has(each));
    return mine === undefined
      ? []
      : ofSecret
          .filter((each) => each !== mine)
          .map(
            ({ node }) =>
              `${mine.node.scope?.node.path}: its secret has another rotation schedule, ${node.path}, and Secrets Manager keeps one of the two; take that one away (addRotationSingleUser, addRotationMultiUser, addRotationSchedule, or a second RotatedSecret)`,
          );
  });
}

/** Writes a reference so that equal ones are of one secret. What only a stack can resolve is told apart by the stack. */
function identityOf(scope: IConstruct, reference: string): string {
  const stack = Stack.of(scope);
  const resolved = JSON.stringify(stack.resolve(reference));
  return Token.isUnresolved(reference) ? `${stack.node.addr} ${resolved}` : resolved;
}
