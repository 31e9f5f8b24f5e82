import { type Policy, policySchema } from '../iam/document.ts';
import { concreteDocument } from './concrete.ts';
import type { Resource } from './template.ts';
import { isAbsent, itemsOf, literalText, mapOf, Reference, type Value } from './value.ts';
import type { World } from './world.ts';

/** A policy of principals, as a template writes it. */
export interface WrittenPolicy {
  /** Resource in which the document stands. */
  readonly on: Resource;
  readonly property: readonly string[];
  readonly document: Value;
  /** Roles, users and groups that it is given to, where these are resources of the templates. */
  readonly holders: readonly Resource[];
}

/** Lists every policy of roles, users and groups. */
export function writtenPolicies(world: World): readonly WrittenPolicy[] {
  const inline = world.ofType('AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group').flatMap((on) =>
    itemsOf(on.properties.Policies).flatMap((one, index) => {
      const document = mapOf(one).PolicyDocument;
      return document === undefined
        ? []
        : [{ on, property: ['Policies', String(index), 'PolicyDocument'], document, holders: [on] }];
    }),
  );
  const separate = world
    .ofType(
      'AWS::IAM::Policy',
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::RolePolicy',
      'AWS::IAM::UserPolicy',
      'AWS::IAM::GroupPolicy',
    )
    .flatMap((on) => {
      const document = on.properties.PolicyDocument;
      return isAbsent(document) || document === undefined
        ? []
        : [{ on, property: ['PolicyDocument'], document, holders: holdersOf(world, on) }];
    });
  return [...inline, ...separate];
}

const holderProperties = ['Roles', 'Users', 'Groups', 'RoleName', 'UserName', 'GroupName'];

function holdersOf(world: World, { properties, key }: Resource): readonly Resource[] {
  const named = holderProperties.flatMap((name) => itemsOf(properties[name]));
  const own = named.flatMap((one) => world.target(one, 'AWS::IAM::Role') ?? []);
  // A managed policy is attached from the other side, too.
  const attaching = world
    .ofType('AWS::IAM::Role', 'AWS::IAM::User', 'AWS::IAM::Group')
    .filter((one) => itemsOf(one.properties.ManagedPolicyArns).some((arn) => targetKey(world, arn) === key));
  const attached = world
    .ofType('Rekey::IAM::PolicyAttachment')
    .filter(({ properties: { PolicyArn } }) => targetKey(world, PolicyArn) === key)
    .flatMap((one) =>
      itemsOf(one.properties.Roles).flatMap((each) => world.target(each, 'AWS::IAM::Role') ?? []),
    );
  return [...own, ...attaching, ...attached];
}

function targetKey(world: World, value: Value | undefined): string | undefined {
  const to = world.resolve(value);
  return to instanceof Reference ? to.target : undefined;
}

/** A policy that the evaluator takes, and whether all of it was known. */
export interface KnownPolicy {
  readonly policy: Policy;
  readonly certain: boolean;
}

/** Reads a policy for the evaluator of IAM. It gives undefined for one that is open as a whole, or that IAM would refuse. */
export function knownPolicy(world: World, document: Value | undefined): KnownPolicy | undefined {
  const { document: written, certain } = concreteDocument(world, document);
  const read = policySchema.safeParse(written);
  return read.success ? { policy: read.data, certain } : undefined;
}

/** A statement alone as a policy, with its place in the document. */
export interface KnownStatement extends KnownPolicy {
  readonly index: number;
  readonly sid: string | undefined;
}

/**
 * Reads each statement that allows something, together with those of the same document that deny. What denies holds for all.
 */
export function allowingStatements(world: World, document: Value): readonly KnownStatement[] {
  const statements = itemsOf(mapOf(document).Statement);
  const denying = statements.filter((one) => literalText(mapOf(one).Effect) === 'Deny');
  return statements.flatMap((statement, index) => {
    if (literalText(mapOf(statement).Effect) !== 'Allow') return [];
    const known = knownPolicy(world, { Version: '2012-10-17', Statement: [statement, ...denying] });
    return known === undefined ? [] : [{ ...known, index, sid: literalText(mapOf(statement).Sid) }];
  });
}

/** Policies of AWS that roles usually have, and by which nobody reads a secret or uses a key. */
const harmless =
  /:policy\/(?:service-role\/(?:AWSLambda(?:BasicExecutionRole|VPCAccessExecutionRole|SQSQueueExecutionRole|KinesisExecutionRole|DynamoDBExecutionRole|BasicDurableExecutionRolePolicy)|AmazonECSTaskExecutionRolePolicy)|AWSXRayDaemonWriteAccess|AWSXrayWriteOnlyAccess|CloudWatchLambdaInsightsExecutionRolePolicy|AmazonS3ReadOnlyAccess|AmazonSSMManagedInstanceCore|CloudWatchAgentServerPolicy)$/;

/** Policies of a role, and whether they are all that it has. */
export interface PoliciesOfRole {
  readonly policies: readonly Policy[];
  /** False if the role may have more than the templates show; nothing is said of it then. */
  readonly complete: boolean;
}

/** Collects what a role may do by its own policies. */
export function policiesOfRole(world: World, role: Resource): PoliciesOfRole {
  const { properties } = role;
  const own = writtenPolicies(world).filter(({ holders }) => holders.includes(role));
  const read = own.map(({ document }) => knownPolicy(world, document));
  const attached = [
    ...itemsOf(properties.ManagedPolicyArns),
    ...world
      .ofType('Rekey::IAM::PolicyAttachment')
      .filter((one) =>
        itemsOf(one.properties.Roles).some((each) => world.target(each, 'AWS::IAM::Role') === role),
      )
      .map((one) => one.properties.PolicyArn ?? null),
  ];
  const attachedAreKnown = attached.every((arn) => {
    const written = targetKey(world, arn);
    if (written !== undefined) return own.some(({ on }) => on.key === written);
    return harmless.test(literalArn(world, arn));
  });
  // Policies that name a role by what only the deploy knows may be of this one.
  const allNamed = world
    .ofType(
      'AWS::IAM::Policy',
      'AWS::IAM::ManagedPolicy',
      'AWS::IAM::RolePolicy',
      'Rekey::IAM::PolicyAttachment',
    )
    .every((one) =>
      [...itemsOf(one.properties.Roles), ...itemsOf(one.properties.RoleName)].every(
        (each) => world.resolve(each) instanceof Reference || literalText(each) !== undefined,
      ),
    );
  return {
    policies: read.flatMap((one) => one?.policy ?? []),
    complete:
      attachedAreKnown &&
      allNamed &&
      isAbsent(properties.PermissionsBoundary) &&
      read.every((one) => one?.certain === true),
  };
}

function literalArn(world: World, arn: Value): string {
  const { document } = concreteDocument(world, arn);
  return typeof document === 'string' ? document : '';
}
