import { namesPlainPart } from '../../secret/secret-words.ts';
import { keptOutOfCode } from '../controls.ts';
import { type ExposedPlace, exposedKinds, exposedPlacesOf } from '../exposed-places.ts';
import { named, type TemplateRule } from '../rule.ts';
import { secretSource } from '../sources.ts';
import { leavesOf } from '../value.ts';
import type { World } from '../world.ts';

/**
 * Refuses the value of a secret that the deploy puts where whoever may describe the resource reads it. A dynamic reference keeps
 * it out of the template, and leaves it in the deployed resource, where it also stays after a rotation.
 */
export const resolvedSecretExposed: TemplateRule<'ResolvedSecretExposed'> = {
  description: {
    id: 'ResolvedSecretExposed',
    severity: 'error',
    demand:
      'No secret is resolved at the deploy into a place that shows it, such as an environment variable.',
    reason:
      'The deployed resource holds the value in plain text, and keeps the old one when the secret rotates.',
    controls: [...keptOutOfCode, 'OWASP NHI 2025 NHI7'],
  },
  *check(world) {
    for (const resource of world.resources) {
      for (const place of exposedPlacesOf(resource)) {
        const source = sourceIn(world, resource.template, place);
        if (source === undefined) continue;
        const { what, readBy, fix } = exposedKinds[place.kind];
        yield {
          on: resource,
          property: place.property,
          message: `${what}${place.name === undefined || place.name === '' ? '' : `, ${place.name},`} gets ${source} at the deploy, and ${readBy} shows it`,
          fix,
        };
      }
    }
    for (const output of world.templates.flatMap(({ outputs }) => outputs)) {
      const source = leavesOf(output.value)
        .map(({ value }) => secretSource(world, output.template, value))
        .find((one) => one !== undefined);
      // Terraform refuses a sensitive output that is not marked, and a state holds the others all the same.
      if (source === undefined || output.sensitive) continue;
      yield {
        on: output,
        message: `output ${output.name} shows ${source}, to whoever may call ${named(output, 'cloudformation:DescribeStacks')}`,
        fix: 'give out the ARN of the secret instead',
      };
    }
  },
};

function sourceIn(world: World, template: string, { name, value }: ExposedPlace): string | undefined {
  if (name !== undefined && namesPlainPart(name)) return undefined;
  return leavesOf(value)
    .map((leaf) => secretSource(world, template, leaf.value))
    .find((one) => one !== undefined);
}
