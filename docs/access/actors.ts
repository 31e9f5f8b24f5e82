import { type Policy, policySchema } from '../../core/iam/document.ts';
import type { Principal } from '../../core/iam/request.ts';
import type { DeployedValues } from './deployed-values.ts';
import { account, type Environment, type Stack } from './deployment.ts';

/** A role of an environment with its policies. */
export interface Actor {
  readonly principal: Principal;
  readonly identity: readonly Policy[];
  /** Its permissions boundary. @default - none */
  readonly boundary?: Policy;
  readonly tags: Readonly<Record<string, string>>;
}

/** Name of an actor in the table, and the description by which its role or function is found. */
const people: Readonly<Record<string, RegExp>> = {
  operator: /rotates secrets and sees how they stand/,
  responder: /asks for revocations/,
  auditor: /reads the audit log/,
  'policy author': /prepares changes of policy/,
  approver: /answers requests of others/,
};
const functions: Readonly<Record<string, RegExp>> = {
  rotation: /rotates postgresql secrets/,
  'first rotation': /starts the first rotation/,
  containment: /cuts off leaked/,
  intake: /takes revocation requests/,
  'replace (revocation)': /replaces a revoked credential/,
  'report (revocation)': /reports how a revocation ended/,
  'plan (revocation)': /plans a revocation of several secrets/,
  'conclusion (revocation)': /concludes a revocation of several secrets/,
  'audit writer': /writes the audit log/,
};

/** Name of a state machine's role, and the logical id by which the machine is found. */
const machines: Readonly<Record<string, RegExp>> = {
  workflow: /^Workflow[0-9A-F]{8}$/,
  'workflow (several)': /^WorkflowPlanWorkflow[0-9A-F]{8}$/,
};

export const peopleNames: readonly string[] = Object.keys(people);
export const actorNames: readonly string[] = [
  ...peopleNames,
  ...Object.keys(functions),
  ...Object.keys(machines),
];

/** Finds the role of an actor in the stacks of an environment. */
export function actorOf(
  name: string,
  environment: Environment,
  stacks: readonly Stack[],
  values: DeployedValues,
): Actor {
  const found = stacks
    .filter((stack) => stack.name.startsWith(`rekey-${environment}-`))
    .flatMap((stack) => rolesIn(name, stack).map((id) => ({ id, stack })));
  const [one] = found;
  if (one === undefined || found.length > 1) {
    throw new Error(`${environment} has ${found.length} roles of the actor ${name}; one is expected`);
  }
  return describeRole(one.id, one.stack, values);
}

function rolesIn(name: string, { resources }: Stack): string[] {
  const described = (type: string, pattern: RegExp | undefined) =>
    Object.entries(resources).filter(
      ([, { Type, Properties }]) => Type === type && pattern?.test(String(Properties?.Description)) === true,
    );
  const ofFunctions = described('AWS::Lambda::Function', functions[name]).map(
    ([, { Properties }]) => Properties.Role,
  );
  const ofMachines = Object.entries(resources)
    .filter(
      ([id, { Type }]) => Type === 'AWS::StepFunctions::StateMachine' && machines[name]?.test(id) === true,
    )
    .map(([, { Properties }]) => Properties.RoleArn);
  return [
    ...described('AWS::IAM::Role', people[name]).map(([id]) => id),
    ...[...ofFunctions, ...ofMachines].map((role) => (role as { 'Fn::GetAtt': [string] })['Fn::GetAtt'][0]),
  ];
}

function describeRole(id: string, stack: Stack, values: DeployedValues): Actor {
  const properties = stack.resources[id]?.Properties ?? {};
  const arn = values.arnOf(id, stack);
  const roleName = arn.split('/').at(-1) ?? '';
  const attached = Object.values(stack.resources).filter(
    ({ Type, Properties }) =>
      /^AWS::IAM::(?:Managed)?Policy$/.test(Type) &&
      ((Properties.Roles ?? []) as { Ref?: string }[]).some(({ Ref }) => Ref === id),
  );
  const inline = ((properties.Policies ?? []) as { PolicyDocument: unknown }[]).map(
    (one) => one.PolicyDocument,
  );
  const documents = [...inline, ...attached.map(({ Properties }) => Properties.PolicyDocument)];
  const boundary = boundaryOf(properties.PermissionsBoundary, stack);
  const tags = (properties.Tags ?? []) as { Key: string; Value: string }[];
  return {
    principal: { kind: 'role', arn, sessionArn: `arn:aws:sts::${account}:assumed-role/${roleName}/session` },
    identity: documents.map((document) => policySchema.parse(values.of(document, stack))),
    ...(boundary !== undefined && { boundary: policySchema.parse(values.of(boundary, stack)) }),
    tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])),
  };
}

/** Finds the document of a role's boundary, which is a managed policy of the same stack. */
function boundaryOf(reference: unknown, stack: Stack): unknown {
  if (reference === undefined) return undefined;
  const { Ref } = reference as { Ref?: string };
  const found = stack.resources[Ref ?? '']?.Properties.PolicyDocument;
  if (found === undefined) throw new Error(`${stack.name}: no boundary ${JSON.stringify(reference)}`);
  return found;
}
