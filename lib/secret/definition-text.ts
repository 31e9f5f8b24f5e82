import { Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';

/** Bytes that a standard parameter holds. @see https://docs.aws.amazon.com/general/latest/gr/ssm.html */
const longestParameter = 4096;
/** Length that is assumed of a value which is known only at the deploy. ARNs and host names are mostly shorter. */
const tokenLength = 128;

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
