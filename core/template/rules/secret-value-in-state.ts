import { couldBeSecret } from '../../secret/secret-words.ts';
import { keptOutOfCode } from '../controls.ts';
import type { TemplateRule } from '../rule.ts';
import { nameOfSecret, secretOf } from '../secrets.ts';
import { isAbsent, literalText, revealed } from '../value.ts';

/** Warns of the value of a secret that Terraform keeps in its state and in each plan. */
export const secretValueInState: TemplateRule<'SecretValueInState'> = {
  description: {
    id: 'SecretValueInState',
    severity: 'warning',
    demand:
      'The value of a secret goes through a write-only argument, so that no state and no plan holds it.',
    reason: 'A state and a plan hold every attribute in plain text, whatever is marked as sensitive.',
    controls: keptOutOfCode,
  },
  *check(world) {
    for (const version of world.ofType('Rekey::SecretsManager::SecretVersion')) {
      const { SecretString, SecretBinary, SecretId } = version.properties;
      const value = isAbsent(SecretString) ? SecretBinary : SecretString;
      if (isAbsent(value) || value === undefined) continue;
      const text = literalText(revealed(value));
      if (text !== undefined && (text === '{}' || !couldBeSecret(text))) continue;
      const secret = secretOf(world, SecretId);
      yield {
        on: version,
        property: ['SecretString'],
        message: `the value of ${secret === undefined ? 'its secret' : `secret ${nameOfSecret(secret)}`} is in Terraform's plan and state`,
        fix: 'give secret_string_wo and secret_string_wo_version instead, from an ephemeral resource (Terraform 1.11 and later); see docs/terraform.md',
      };
    }
  },
};
