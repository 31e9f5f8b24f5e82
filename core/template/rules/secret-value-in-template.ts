import { couldBeSecret, credentialIn, namesPlainPart } from '../../secret/secret-words.ts';
import { keptOutOfCode } from '../controls.ts';
import { inDialect, named, type TemplateRule } from '../rule.ts';
import { nameOfSecret, secretType } from '../secrets.ts';
import { isAbsent, literalText, openMark, Sensitive, type Value, writtenText } from '../value.ts';

/** Refuses the value of a secret that stands in the template. `GenerateSecretString` and placeholders pass. */
export const secretValueInTemplate: TemplateRule<'SecretValueInTemplate'> = {
  description: {
    id: 'SecretValueInTemplate',
    severity: 'error',
    demand:
      'No template holds the value of a secret; CloudFormation generates it, or a person sets it later.',
    reason:
      'A template stands in the repository, in the bucket of its assets and in CloudFormation, for everyone who reads one of them.',
    controls: keptOutOfCode,
  },
  *check(world) {
    for (const secret of world.ofType(secretType)) {
      const given = secret.properties.SecretString;
      if (isAbsent(given) || given === undefined) continue;
      const found = literalSecret(given);
      if (found === undefined) continue;
      yield {
        on: secret,
        property: ['SecretString'],
        message: `${named(secret, 'SecretString')} of secret ${nameOfSecret(secret)} holds ${found} in plain text`,
        fix: inDialect(secret, {
          cloudformation:
            'use GenerateSecretString, and change the value now: whoever read the template knows it',
          terraform: 'leave it out',
        }),
      };
    }
  },
};

/** Says what of a value is a literal secret, such as `key password`; undefined where nothing is. */
function literalSecret(value: Value): string | undefined {
  if (value instanceof Sensitive) return undefined;
  const text = literalText(value);
  const written = writtenText(value);
  if (written === undefined) return undefined;
  const fields = fieldsOf(written);
  if (fields === undefined) {
    return text !== undefined && couldBeSecret(text) ? 'its value' : credentialIn(written);
  }
  const keys = fields
    .filter(([key, content]) => !namesPlainPart(key) && couldBeSecret(content))
    .map(([key]) => key);
  const named = keys.find((key) => !besideCredential.test(key));
  return named === undefined ? undefined : `key ${named}`;
}

/** Keys of a secret's JSON that name other things than its credential. */
const besideCredential = /(?:arn|name|id|type|engine|ssl|version|description|url|uri)$/i;

/** Reads the texts of a JSON object; undefined for a text of another kind. */
function fieldsOf(text: string): readonly (readonly [key: string, content: string])[] | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== 'object' || read === null) return undefined;
    return Object.entries(read).flatMap(([key, content]) =>
      typeof content === 'string' && !content.includes(openMark) ? [[key, content] as const] : [],
    );
  } catch {
    return undefined;
  }
}
