import { pauseTag } from '../../core/deployed/names.ts';
import type { PagedStatement } from '../access/policy-pages.ts';

/**
 * Conditions under which RotateSecret only starts a rotation and sets nothing up anew.
 *
 * AWS leaves open whether `ModifyRotationRules` is there when a request has no rules, so a request without it is allowed either
 * way. The other two are absent then, which `Null` asks for.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html
 */
const asConfigured = {
  BoolIfExists: { 'secretsmanager:ModifyRotationRules': 'false' },
  Null: {
    'secretsmanager:RotationLambdaARN': 'true',
    'secretsmanager:ExternalSecretRotationRoleArn': 'true',
  },
} as const;

/** Starts rotations of secrets as they are set up. */
export const startRotation = {
  sid: 'StartRotation',
  actions: ['secretsmanager:RotateSecret'],
  conditions: asConfigured,
} as const satisfies PagedStatement;

/** Sees how a rotation goes, without reading a value. */
export const followRotation = {
  sid: 'FollowRotation',
  actions: ['secretsmanager:DescribeSecret', 'secretsmanager:ListSecretVersionIds'],
} as const satisfies PagedStatement;

/** Gives up a rotation that hangs: takes AWSPENDING off a version, and touches no other label. */
export const abandonRotation = {
  sid: 'AbandonRotation',
  actions: ['secretsmanager:UpdateSecretVersionStage'],
  conditions: { StringEquals: { 'secretsmanager:VersionStage': 'AWSPENDING' } },
} as const satisfies PagedStatement;

/**
 * Gives up a rotation, and pauses rotations or ends a pause. For a pause it sets and removes one tag, and no other, since tags
 * may decide about permissions. It is one statement, as each names every adopted secret: a request has either a label or keys
 * of tags.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html#access_tags_control-tag-keys
 */
export const abandonOrPauseRotation = {
  sid: 'AbandonOrPauseRotation',
  actions: [...abandonRotation.actions, 'secretsmanager:TagResource', 'secretsmanager:UntagResource'],
  conditions: {
    StringEqualsIfExists: abandonRotation.conditions.StringEquals,
    'ForAllValues:StringEquals': { 'aws:TagKeys': [pauseTag] },
  },
} as const satisfies PagedStatement;

/**
 * Invokes the rotation function, which Secrets Manager asks of whoever starts a rotation. The function acts only on versions
 * that are pending, or that a rotation has just made current.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
 */
export const invokeRotation = {
  sid: 'InvokeRotation',
  actions: ['lambda:InvokeFunction'],
} as const satisfies PagedStatement;
