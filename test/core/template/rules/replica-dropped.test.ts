import { describe } from '@jest/globals';
import { replicaDropped as rule } from '../../../../core/template/rules/replica-dropped.ts';
import { breaks, holds, plan, secret, stack } from '../support.ts';

const inRegions = (...regions: readonly string[]) =>
  stack({ A: secret({ Name: 'a', ReplicaRegions: regions.map((Region) => ({ Region })) }) });
const deployed = (template: ReturnType<typeof stack>) => ({ deployed: new Map([['stack.json', template]]) });
const replicas = (...regions: readonly string[]) =>
  regions.map((region) => ({ region, kms_key_id: '', status: 'InSync' }));
const planned = (before: readonly object[], after: readonly object[]) =>
  plan([
    {
      type: 'aws_secretsmanager_secret',
      name: 'db',
      actions: ['update'],
      before: { name: 'db', replica: before },
      after: { name: 'db', replica: after },
    },
  ]);

describe('ReplicaDropped', () => {
  breaks(
    rule,
    'a region that is gone',
    inRegions('eu-west-1'),
    [['A', /secret a loses its replica in us-east-1/]],
    deployed(inRegions('eu-west-1', 'us-east-1')),
  );
  breaks(
    rule,
    'all replicas that drift takes away in a plan',
    planned(replicas('eu-west-1', 'us-east-1'), []),
    [['aws_secretsmanager_secret.db', /replica in eu-west-1, us-east-1/]],
  );

  holds(rule, 'the same regions in another order', inRegions('b', 'a'), deployed(inRegions('a', 'b')));
  holds(rule, 'one more region', inRegions('a', 'b'), deployed(inRegions('a')));
  holds(
    rule,
    'a plan that changes a status alone',
    planned(replicas('eu-west-1'), [{ region: 'eu-west-1', kms_key_id: '' }]),
  );
  holds(
    rule,
    'regions that only the deploy knows',
    stack({ A: secret({ Name: 'a', ReplicaRegions: { 'Fn::If': ['C', [{ Region: 'a' }], []] } }) }),
    deployed(inRegions('a', 'b')),
  );
  holds(
    rule,
    'a region that a parameter gives',
    stack(
      { A: secret({ Name: 'a', ReplicaRegions: [{ Region: { Ref: 'R' } }] }) },
      { Parameters: { R: { Type: 'String' } } },
    ),
    deployed(inRegions('a')),
  );
});
