import { describe } from '@jest/globals';
import { containerEnvironmentSecret as rule } from '../../../../core/template/rules/container-environment-secret.ts';
import { breaks, holds, plan, ref, resolved, resource, secret, stack } from '../support.ts';

const task = (Environment: readonly object[], Secrets: readonly object[] = []) =>
  stack({
    S: secret(),
    Task: resource('AWS::ECS::TaskDefinition', {
      ContainerDefinitions: [{ Name: 'app', Environment, Secrets }],
    }),
  });
const planned = (environment: readonly object[]) =>
  plan([
    {
      type: 'aws_ecs_task_definition',
      name: 'app',
      after: { container_definitions: JSON.stringify([{ name: 'app', environment }]) },
    },
  ]);

describe('ContainerEnvironmentSecret', () => {
  breaks(rule, 'a resolved secret', task([{ Name: 'DB_PASSWORD', Value: resolved('S') }]), [
    ['Task', /variable DB_PASSWORD of container app holds the value of secret S/],
  ]);
  breaks(rule, 'a literal one', task([{ Name: 'API_KEY', Value: 'abcd1234efgh' }]), [
    ['Task', /API_KEY of container app holds a secret in plain text/],
  ]);
  breaks(rule, 'a literal one in a plan', planned([{ name: 'API_KEY', value: 'abcd1234efgh' }]), [
    ['aws_ecs_task_definition.app', /API_KEY/],
  ]);

  holds(
    rule,
    'Secrets',
    task([{ Name: 'STAGE', Value: 'prod' }], [{ Name: 'DB_PASSWORD', ValueFrom: ref('S') }]),
  );
  holds(
    rule,
    'a name, a host and a placeholder',
    task([
      { Name: 'DB_SECRET_ARN', Value: ref('S') },
      { Name: 'DB_HOST', Value: resolved('S', 'host') },
      { Name: 'TOKEN', Value: 'none' },
    ]),
  );
  holds(rule, 'plain variables in a plan', planned([{ name: 'LOG_LEVEL', value: 'debug' }]));
});
