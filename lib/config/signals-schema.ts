import * as z from 'zod';
import { signalPoliciesSchema } from '../../core/signal/policy.ts';
import { keyArnSchema, keySchema, secretIdSchema, secretNameSchema } from './expressions.ts';

/** Forms that the value of a honey secret may have. */
const honeyShapes = ['database', 'login', 'token', 'access-key'] as const;
export type HoneyShape = (typeof honeyShapes)[number];

const { github, gitguardian, gitlab, webhook } = signalPoliciesSchema.shape;
const sender = {
  secret: secretIdSchema,
  /** Key that encrypts that secret, where that is not the AWS managed one. */
  encryptionKey: keyArnSchema.optional(),
};

/** Settings of an environment about signals from outside and about honey secrets. */
export const signalFields = {
  /**
   * Senders of signals that are listened to, and the way to answer each. `act` requests a revocation, `ask` tells people, and
   * `record` does neither. @default - none is listened to
   */
  signals: signalPoliciesSchema
    .extend({
      github: github.unwrap().extend(sender).optional(),
      gitguardian: gitguardian.unwrap().extend(sender).optional(),
      gitlab: gitlab.unwrap().extend(sender).optional(),
      webhook: webhook.unwrap().extend(sender).optional(),
    })
    .default({}),
  /** Secrets that nobody may use. Whoever does is where they should not be. */
  honeySecrets: z
    .record(
      keySchema(32),
      z.strictObject({
        /** The secret is named `/<environment>/<name>`; choose one that looks worth reading. */
        name: secretNameSchema,
        /** Form of its value. `access-key`: one of a user that may do nothing. */
        shape: z.enum(honeyShapes).default('database'),
        /** Team or person that is told. */
        owner: z.string().min(1).max(128),
      }),
    )
    // The function knows them by a variable, and all variables have room for 4 KB.
    .refine((all) => Object.keys(all).length <= 8, { error: 'may name at most 8 secrets' })
    .default({}),
};

export type SignalsConfiguration = z.output<typeof signalFields.signals>;
export type HoneySecretsConfiguration = z.output<typeof signalFields.honeySecrets>;
