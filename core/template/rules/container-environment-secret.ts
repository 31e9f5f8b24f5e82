import { couldBeSecret, credentialIn, namesPlainPart, namesSecret } from '../../secret/secret-words.ts';
import { keptOutOfCode } from '../controls.ts';
import type { TemplateRule } from '../rule.ts';
import { secretSource } from '../sources.ts';
import { itemsOf, literalText, mapOf, type Value } from '../value.ts';
import type { World } from '../world.ts';

/** Refuses a secret among the environment variables of an ECS container, which has `Secrets` for it. */
export const containerEnvironmentSecret: TemplateRule<'ContainerEnvironmentSecret'> = {
  description: {
    id: 'ContainerEnvironmentSecret',
    severity: 'error',
    demand: 'An ECS container gets secrets by Secrets, and by no environment variable.',
    reason:
      'A task definition shows its environment variables to everyone who may describe it, and each revision keeps them for good.',
    controls: keptOutOfCode,
  },
  *check(world) {
    for (const task of world.ofType('AWS::ECS::TaskDefinition')) {
      for (const [container, definition] of itemsOf(task.properties.ContainerDefinitions).entries()) {
        for (const [index, variable] of itemsOf(mapOf(definition).Environment).entries()) {
          const { Name, Value: value } = mapOf(variable);
          const name = literalText(Name) ?? '';
          const found = value === undefined ? undefined : foundIn(world, task.template, name, value);
          if (found === undefined) continue;
          const label = literalText(mapOf(definition).Name) ?? String(container);
          yield {
            on: task,
            property: ['ContainerDefinitions', String(container), 'Environment', String(index), 'Value'],
            message: `environment variable ${name} of container ${label} holds ${found}, which ecs:DescribeTaskDefinition shows`,
            fix: `move ${name} to Secrets, with ValueFrom set to the ARN of the secret, and let the execution role read it`,
          };
        }
      }
    }
  },
};

function foundIn(world: World, template: string, name: string, value: Value): string | undefined {
  if (!namesPlainPart(name)) {
    const source = secretSource(world, template, value);
    if (source !== undefined) return source;
  }
  const text = literalText(value);
  if (text === undefined) return undefined;
  return (
    credentialIn(text) ?? (namesSecret(name) && couldBeSecret(text) ? 'a secret in plain text' : undefined)
  );
}
