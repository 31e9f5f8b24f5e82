import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ownerTag } from '../../../core/deployed/names.ts';
import type { RekeyEnvironment } from '../../../lib/rekey-environment.ts';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}
/** A resource with the place by which CloudFormation knows it: stack and logical id. */
interface Placed extends Resource {
  readonly place: string;
  readonly stack: string;
}

/** Where an environment is deployed. */
interface Place {
  readonly account: string;
  readonly region: string;
}

/** What an environment deploys, and where it would. */
export interface Deployment extends Place {
  readonly resources: readonly Placed[];
}

const schedule = 'AWS::SecretsManager::RotationSchedule';
const secret = 'AWS::SecretsManager::Secret';
const firstRotation = 'Custom::RekeyFirstRotation';

/** Reads the templates of an environment; `account` and `region` are those that the CDK CLI would run with. */
export function deploymentOf(environment: RekeyEnvironment, account: string, region: string): Deployment {
  const stacks = environment.node.children.filter((child) => Stack.isStack(child));
  const resources = stacks.flatMap((stack) =>
    Object.entries<Resource>(Template.fromStack(stack).toJSON().Resources ?? {}).map(([id, resource]) => ({
      ...resource,
      stack: stack.stackName,
      place: `${stack.stackName} ${id}`,
    })),
  );
  return { resources, account, region };
}

/** A value of a template as CloudFormation would see it; a reference to a resource stays one. */
function resolved(value: unknown, place: Place): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((part) => resolved(part, place));
  const { Ref } = value as { readonly Ref?: string };
  const pseudo: Readonly<Record<string, string>> = {
    'AWS::AccountId': place.account,
    'AWS::Region': place.region,
    'AWS::Partition': 'aws',
  };
  if (Ref !== undefined) return pseudo[Ref] ?? value;
  const parts = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, resolved(part, place)]));
  const join = parts['Fn::Join'] as readonly [string, readonly unknown[]] | undefined;
  return join?.[1].every((part) => typeof part === 'string') ? join[1].join(join[0]) : parts;
}

const textOf = (value: unknown, place: Place): string => JSON.stringify(resolved(value, place));

/** The secrets that an environment schedules: what names each in its schedule, by the schedule's place. */
const schedulesOf = (deployment: Deployment): ReadonlyMap<string, string> =>
  new Map(
    deployment.resources
      .filter(({ Type }) => Type === schedule)
      .map(({ place, Properties }) => [place, textOf(Properties?.SecretId, deployment)]),
  );

/** The resources of a type. A honey secret, which lies in the stack of the signals, opens nothing: its value may change. */
const ofType = ({ resources }: Deployment, type: string): ReadonlyMap<string, Placed> =>
  new Map(
    resources
      .filter(({ Type, stack }) => Type === type && !(type === secret && stack.endsWith('-signals')))
      .map((resource) => [resource.place, resource]),
  );

/**
 * The properties of a secret without the tag of its owner. Tags change without interruption, and no value follows from them.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
 */
const withoutOwner = ({ Tags, ...rest }: NonNullable<Resource['Properties']> = {}) => ({
  ...rest,
  Tags: (Tags as { readonly Key: string }[] | undefined)?.filter(({ Key }) => Key !== ownerTag),
});

/**
 * What a deploy would do to secrets that are there: each sentence is one live value, or one rotation, that it would touch.
 * A secret that comes in or goes is none.
 */
export function touched(before: Deployment, after: Deployment): readonly string[] {
  const found: string[] = [];
  const [schedules, later] = [schedulesOf(before), schedulesOf(after)];
  for (const [place, secretId] of schedules) {
    const now = later.get(place);
    if (now !== undefined && now !== secretId) {
      found.push(`${place}: the schedule of ${secretId} is replaced by one of ${now}`);
    }
    const elsewhere = [...later].find(([other, id]) => id === secretId && other !== place);
    if (elsewhere !== undefined) {
      found.push(`${place}: the schedule of ${secretId} moves to ${elsewhere[0]}, and its removal ends both`);
    }
  }
  const [created, laterCreated] = [ofType(before, secret), ofType(after, secret)];
  for (const [place, { Properties, DeletionPolicy }] of created) {
    const now = laterCreated.get(place);
    if (now === undefined && DeletionPolicy !== 'Retain') found.push(`${place}: the secret is deleted`);
    if (
      now !== undefined &&
      textOf(withoutOwner(Properties), before) !== textOf(withoutOwner(now.Properties), after)
    ) {
      found.push(`${place}: the secret's own properties change, and with them its value`);
    }
    const elsewhere = [...laterCreated.values()].find(
      (other) => other.place !== place && other.Properties?.Name === Properties?.Name,
    );
    if (elsewhere !== undefined) found.push(`${place}: its name is taken when ${elsewhere.place} is created`);
  }
  const [rotated, laterRotated] = [ofType(before, firstRotation), ofType(after, firstRotation)];
  for (const [place, { stack, Properties }] of laterRotated) {
    // Both are children of the secret's construct, whose id theirs begin with.
    const scheduled = [...schedules.keys()].some((known) =>
      known.startsWith(place.replace(/FirstRotation[0-9A-F]{8}$/, 'Schedule')),
    );
    if (scheduled && !rotated.has(place)) {
      found.push(`${place}: ${JSON.stringify(Properties?.SecretId)} in ${stack} rotates at the deploy`);
    }
  }
  return [...found, ...lost(before, after)];
}

/** What holds more than settings, and would begin anew. */
function lost(before: Deployment, after: Deployment): readonly string[] {
  const places = new Set(after.resources.map(({ place }) => place));
  const lasting = [
    'AWS::KMS::Key',
    'AWS::S3::Bucket',
    'AWS::Events::EventBus',
    'AWS::Lambda::EventSourceMapping',
    'AWS::DynamoDB::Table',
  ];
  const stacks = new Set(after.resources.map(({ stack }) => stack));
  // Fingerprints, the notifier and what a trail told go as a whole where they are no longer asked for; as long as they are kept, nothing begins anew.
  const dropped = (stack: string) =>
    /-(?:fingerprints|notification|trail)$/.test(stack) && !stacks.has(stack);
  // So does the table of approvals; what waits then fails at its stage, and stays in the log.
  // And that of quarantines where nobody is to be quarantined: the policies stay in IAM, and docs/quarantine.md says how they end.
  const whileAskedFor = (place: string) => / (?:ApprovalsRequests|QuarantineTable)/.test(place);
  return (
    before.resources
      .filter(
        ({ Type, place, stack }) =>
          lasting.includes(Type) && !places.has(place) && !dropped(stack) && !whileAskedFor(place),
      )
      // A key of links signs what ends within a day, and encrypts nothing.
      .filter(({ Properties }) => Properties?.KeyUsage !== 'GENERATE_VERIFY_MAC')
      .map(({ Type, place }) => `${place}: ${Type} goes`)
  );
}
