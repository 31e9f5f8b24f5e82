import { ArnFormat, Fn, Stack, Token } from 'aws-cdk-lib';
import { CfnSecret, type ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { definitionParameter, definitionsPath } from '../../core/deployed/names.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';

/**
 * Tells the name of a secret of the CDK. It is text where synth knows it, otherwise an expression for the deploy.
 *
 * `ISecret.secretName` has the random suffix of the ARN where a feature flag of the app is off, and is an expression even for a
 * secret that the app names.
 * @throws RekeyError `ConstructInvalid` when nothing but an ARN is known, and that at the deploy alone
 */
export function nameOf(secret: ISecret): string {
  const own = resourceOf(secret);
  if (own === undefined) {
    if (!Token.isUnresolved(secret.secretName) || secret.secretFullArn === undefined)
      return secret.secretName;
    throw new RekeyError(
      'ConstructInvalid',
      `${secret.node.id}: its ARN is known at the deploy alone, and its name with it, by which a revocation finds it; adopt it by name, as { id: … }`,
    );
  }
  const stack = Stack.of(own);
  const given: unknown = stack.resolve(own.name);
  if (own.name !== undefined && given !== undefined) return typeof given === 'string' ? given : own.name;
  // CloudFormation joins the logical id and its own random part by a hyphen; Secrets Manager adds the suffix behind another.
  const { resourceName = '' } = stack.splitArn(own.ref, ArnFormat.COLON_RESOURCE_NAME);
  const parts = Fn.split('-', resourceName);
  return Fn.join('-', [Fn.select(0, parts), Fn.select(1, parts)]);
}

/** Finds the resource of a secret that this app makes, also where it is attached to a database. */
function resourceOf(secret: ISecret): CfnSecret | undefined {
  const attached: unknown = Reflect.get(secret, 'attachedSecret');
  if (Construct.isConstruct(attached)) return resourceOf(attached as ISecret);
  const resource = secret.node.defaultChild;
  return resource instanceof CfnSecret ? resource : undefined;
}

/** Names the parameter of a definition, as {@link definitionParameter} does, also of a secret that is named at the deploy. */
export function definitionParameterOf(environment: string, secretName: string): string {
  if (!Token.isUnresolved(secretName)) return definitionParameter(environment, secretName);
  // The dot goes first, since the codes of the others begin with one.
  const segment = [...'./_+=@'].reduce(
    (name, character) => Fn.join(escapeOf(character), Fn.split(character, name)),
    secretName,
  );
  return `${definitionsPath(environment)}/${segment}`;
}

/** Writes one character as {@link definitionParameter} writes it. */
const escapeOf = (character: string): string => definitionParameter('', character).split('/').at(-1) ?? '';
