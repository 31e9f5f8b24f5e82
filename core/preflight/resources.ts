import type { Resource } from '../template/template.ts';
import { ingredientsOf, itemsOf, Joined, type Leaf, leavesOf } from '../template/value.ts';
import type { World } from '../template/world.ts';
import { type Collector, readByOf } from './collector.ts';
import type { Place } from './reference.ts';
import { isSecretArn, isStandIn, secretIdOf } from './secret-id.ts';
import { type Spot, spotsOf } from './spots.ts';
import { readWritten, roleOf, storedSecretsIn, writtenOf } from './written.ts';

/** Resources that name a secret without reading its value. */
const readsNothing =
  /^(?:AWS::SecretsManager::|AWS::IAM::|AWS::CDK::|Rekey::SecretsManager::|Rekey::IAM::|AWS::KMS::)/;
/** Properties in which an ARN grants something, or tells people of it. */
const noPlace =
  /^(?:Polic(?:y|ies)|.*PolicyDocument|ResourcePolicy|KeyPolicy|Tags?|TagsAll|tags_all|Description|Labels|DockerLabels|Metadata|Resources?|policy|description|tags)$/;

/** Collects the references of the resources of a template or a plan. */
export function collectResources(
  collector: Collector,
  world: World,
  resources: readonly Resource[],
  placeOf: (resource: Resource, path: readonly string[]) => Place,
): void {
  for (const resource of resources) {
    const spots = spotsOf(resource);
    for (const spot of spots) collectSpot(collector, world, resource, spot, placeOf(resource, spot.path));
    const seen = new Set(spots.map(({ path }) => path.join('\0')));
    for (const leaf of leavesOf(resource.properties)) {
      const place = (): Place => placeOf(resource, leaf.path);
      collectDynamic(collector, world, resource, leaf, place);
      if (
        !readsNothing.test(resource.type) &&
        !seen.has(leaf.path.join('\0')) &&
        !leaf.path.some((part) => noPlace.test(part))
      ) {
        collectArn(collector, world, resource, leaf, place);
      }
    }
  }
}

function collectSpot(collector: Collector, world: World, resource: Resource, spot: Spot, place: Place): void {
  const readBy = readByOf(resource.path, roleOf(world, resource.template, itemsOf(spot.role)[0]));
  // The deploy reads a dynamic reference, and what stands there is a value.
  if (storedSecretsIn(world, resource.template, ingredientsOf(spot.value)).length > 0) return;
  for (const written of writtenOf(world, resource.template, spot.value)) {
    if (written.kind === 'open' && !spot.certain && !/secret/i.test(written.around)) continue;
    for (const read of readWritten(written, spot.read)) collector.take(read, place, { readBy });
  }
}

/** Collects the secrets that CloudFormation reads while it deploys. */
function collectDynamic(
  collector: Collector,
  world: World,
  { template }: Resource,
  leaf: Leaf,
  place: () => Place,
): void {
  for (const { reference, key, version } of storedSecretsIn(world, template, ingredientsOf(leaf.value))) {
    if (version.stage !== undefined && version.id !== undefined) {
      collector.take(
        { kind: 'malformed', why: 'a dynamic reference takes a stage or a version, and not both' },
        place(),
      );
      continue;
    }
    for (const written of writtenOf(world, template, reference === '' ? '' : reference)) {
      for (const read of readWritten(written, (text) => [secretIdOf(text.replace(/:+$/, ''))])) {
        collector.take(read, place(), { key, versionStage: version.stage, versionId: version.id });
      }
    }
  }
}

/** Collects a property that is the whole ARN of a secret, such as that of a broker. */
function collectArn(
  collector: Collector,
  world: World,
  { template }: Resource,
  { value }: Leaf,
  place: () => Place,
): void {
  if (typeof value !== 'string' && !(value instanceof Joined)) return;
  for (const written of writtenOf(world, template, value)) {
    if (written.kind !== 'text') continue;
    if (isSecretArn(written.text) && !isStandIn(written.text)) {
      for (const read of readWritten(written, (text) => [secretIdOf(text)])) collector.take(read, place());
    }
  }
}
