import { couldBeSecret, credentialIn, namesSecret } from '../../secret/secret-words.ts';
import { keptOutOfCode } from '../controls.ts';
import { inDialect, type TemplateRule } from '../rule.ts';
import { literalText } from '../value.ts';

/** Refuses a parameter for a secret that shows its value, or that has one by default. */
export const parameterExposed: TemplateRule<'ParameterExposed'> = {
  description: {
    id: 'ParameterExposed',
    severity: 'error',
    demand: 'A parameter for a secret is hidden (NoEcho, sensitive), and has no value by default.',
    reason:
      'A default stands in the template; a parameter without NoEcho is shown by each call that describes the stack.',
    controls: keptOutOfCode,
  },
  *check(world) {
    for (const parameter of world.templates.flatMap(({ parameters }) => parameters)) {
      // Others hold the name of a parameter in Systems Manager, or the id of a thing.
      if (parameter.type !== 'String' || parameter.isChoice) continue;
      const given = literalText(parameter.defaultValue);
      const kind = given === undefined ? undefined : credentialIn(given);
      const isSecret = namesSecret(parameter.name);
      const what = inDialect(parameter, { cloudformation: 'parameter', terraform: 'variable' });
      if (kind !== undefined || (isSecret && given !== undefined && couldBeSecret(given))) {
        yield {
          on: parameter,
          property: [inDialect(parameter, { cloudformation: 'Default', terraform: 'default' })],
          message: `${what} ${parameter.name} has ${kind ?? 'a secret'} as its default`,
          fix: `take the default away, and change the credential; let the resource read it from Secrets Manager`,
        };
      } else if (isSecret && !parameter.hidden) {
        yield {
          on: parameter,
          message: `${what} ${parameter.name} is for a secret, and shows its value`,
          fix: inDialect(parameter, {
            cloudformation: 'replace it by a dynamic reference to a secret, or set NoEcho to true',
            terraform: 'set ephemeral = true, or at least sensitive = true',
          }),
        };
      }
    }
  },
};
