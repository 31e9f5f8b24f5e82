import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type SecretDefinition, secretDefinitionSchema } from '../../core/secret/definition.ts';

/** Bytes that a standard parameter holds. @see https://docs.aws.amazon.com/general/latest/gr/ssm.html */
const longestParameter = 4096;
/** Length that is assumed of a value which is known only at the deploy. ARNs and host names are mostly shorter. */
const tokenLength = 128;

/** Props of a secret's construct under the names that its definition has for them. */
const props: Readonly<Record<string, string>> = {
  network: 'networkName',
  maximumAgeDays: 'maximumAge',
  name: 'secret',
  arn: 'secret',
};

/**
 * Checks a definition that constructs make, and names what is wrong by the prop that it came from.
 * @throws RekeyError `ConstructInvalid`
 */
export function checkedDefinition(id: string, definition: SecretDefinition): SecretDefinition {
  const { data, error } = secretDefinitionSchema.safeParse(definition);
  if (data !== undefined) return data;
  const problems = error.issues.map(({ path: [first, ...rest], code, message }) => {
    const inner = rest.filter((part) => part !== 'fields').map(String);
    const within = first === 'content' ? ['create', 'fields', ...inner] : inner;
    const prop = first === 'content' ? 'secret' : (props[String(first)] ?? String(first));
    return `${[prop, ...within].join('.')}: ${code === 'too_small' ? 'must not be empty' : message}`;
  });
  throw new RekeyError('ConstructInvalid', `${id}: ${problems.join('; ')}`);
}

/**
 * Writes a definition as the text of a standard parameter.
 * @throws Error when it would be longer than Systems Manager takes
 */
export function definitionText(scope: Construct, secret: string, definition: SecretDefinition): string {
  const stack = Stack.of(scope);
  const text = stack.toJsonString(definition);
  const length = lengthOf(stack.resolve(text));
  if (length > longestParameter) {
    throw new RekeyError(
      'ConstructInvalid',
      `the definition of ${secret} would have about ${length} bytes, and an SSM parameter takes ${longestParameter}; shorten create.fields (${Buffer.byteLength(JSON.stringify(definition.content?.fields ?? {}))} bytes) or consumers`,
    );
  }
  return text;
}

/** Measures a text, or what joins parts to one, in bytes. */
function lengthOf(resolved: unknown): number {
  if (typeof resolved === 'string') return Buffer.byteLength(resolved);
  const parts: unknown = (resolved as { 'Fn::Join'?: [string, unknown[]] })['Fn::Join']?.[1];
  return Array.isArray(parts)
    ? parts.reduce(
        (sum: number, part) => sum + (typeof part === 'string' ? Buffer.byteLength(part) : tokenLength),
        0,
      )
    : tokenLength;
}
