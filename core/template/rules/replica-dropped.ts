import { changedUnderControl } from '../controls.ts';
import { named, type TemplateRule } from '../rule.ts';
import { nameOfSecret, secretType } from '../secrets.ts';
import { isAbsent, isOpen, itemsOf, literalText, type Value, type ValueMap, valueAt } from '../value.ts';

/** Finds changes that take a secret out of a region, among them those that drift has brought into a plan. */
export const replicaDropped: TemplateRule<'ReplicaDropped'> = {
  description: {
    id: 'ReplicaDropped',
    severity: 'error',
    demand: 'No deployment takes the replica of a secret away from a region without being asked to.',
    reason: 'Consumers in that region have nothing to read any more, and a failover fails.',
    controls: [...changedUnderControl, 'NIST 800-53 r5 CP-9', 'ISO 27001:2022 A.8.14'],
  },
  *check(world) {
    for (const secret of world.ofType(secretType)) {
      const before =
        secret.change?.before ??
        world.deployed.get(secret.template)?.resources.find(({ id }) => id === secret.id)?.properties;
      if (before === undefined || isOpen(secret.properties.ReplicaRegions)) continue;
      const [was, is] = [regionsOf(before), regionsOf(secret.properties)];
      if (was === undefined || is === undefined) continue;
      const gone = was.filter((region) => !is.includes(region));
      if (gone.length === 0) continue;
      yield {
        on: secret,
        property: isAbsent(secret.properties.ReplicaRegions) ? [] : ['ReplicaRegions'],
        message: `secret ${nameOfSecret(secret)} loses its replica in ${gone.join(', ')}`,
        fix: `name ${gone.length === 1 ? 'the region' : 'the regions'} in ${named(secret, 'ReplicaRegions')} again, or waive the rule once nobody reads there`,
      };
    }
  },
};

/** Lists the regions of replicas; undefined where one of them is open. */
function regionsOf({ ReplicaRegions }: ValueMap): readonly string[] | undefined {
  const regions = itemsOf(ReplicaRegions).map((one: Value) => literalText(valueAt(one, 'Region')));
  return regions.every((region) => region !== undefined) ? regions : undefined;
}
