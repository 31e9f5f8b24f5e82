import * as z from 'zod';
import { rotationRates } from '../../core/deployed/pace.ts';
import { isProxyHost, proxyAdvice } from '../../core/secret/rds-proxy.ts';
import { strategies } from '../../core/secret/secret.ts';
import { secretTypes } from '../../rotators/registry.ts';
import { approvalsSchema } from './approvals.ts';
import { elsewhereFields } from './elsewhere-schema.ts';
import {
  functionArnSchema,
  keyArnSchema,
  keySchema,
  principalSchema,
  scheduleSchema,
  secretIdSchema,
  secretNameSchema,
  securityGroupIdSchema,
  sessionNameSchema,
  subnetIdSchema,
  transitGatewayIdSchema,
  usualSchedule,
  vpcIdSchema,
} from './expressions.ts';
import { consumersSchema, leadsSchema } from './leads-schema.ts';
import { lifecycleFields } from './lifecycle-schema.ts';
import { mismatches, notifierFields, topicArnSchema } from './notifications.ts';
import { daySchema, environmentPolicySchema, policySchema } from './policy-schema.ts';
import { quarantineFields } from './quarantine-schema.ts';
import type { SecretKind } from './secret-kinds.ts';
import { signalFields } from './signals-schema.ts';
import { trailSchema } from './trail.ts';

/** Reads the name of an environment, which stands in the names of its resources. */
export const environmentNameSchema = keySchema(20);

const auditSchema = z.strictObject({
  /**
   * Days for which nobody can delete or overwrite a record of the audit log, the account's root included. It can be
   * raised later, never lowered for what is already written.
   * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
   */
  retentionDays: z.int().min(1).max(36_500),
});

const passwordsSchema = z
  .strictObject({
    length: z.int().min(8).max(4096),
    excludeCharacters: z.string().max(4096),
    excludeNumbers: z.boolean(),
    excludePunctuation: z.boolean(),
    excludeUppercase: z.boolean(),
    excludeLowercase: z.boolean(),
    requireEachIncludedType: z.boolean(),
  })
  .partial();

/** An IPv4 range. */
const rangeSchema = z.cidrv4({ error: 'must be an IPv4 range such as 10.0.0.0/16' });

/** Places that traffic from the functions may go to. */
const egressSchema = z.strictObject({
  /** IPv4 range, or the id of a security group. */
  to: z.union([rangeSchema, securityGroupIdSchema], { error: 'must be an IPv4 range (CIDR) or sg-…' }),
  port: z.int().min(1).max(65_535),
  /** `udp` is for name servers of one's own, which are asked at port 53 over both. */
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
});

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;

/** A way from a new VPC to where the targets are. */
const connectionSchema = z.xor(
  [
    z.strictObject({
      /** Range of the VPC, where the targets are. */
      to: rangeSchema,
      /** A VPC of the same account and region, to be peered with. */
      vpcId: vpcIdSchema,
    }),
    z.strictObject({
      to: rangeSchema,
      /** A transit gateway that this account may attach a VPC to. */
      transitGatewayId: transitGatewayIdSchema,
    }),
  ],
  { error: 'must have `to` (an IPv4 range) and one of `vpcId` and `transitGatewayId`' },
);

/** Reads a network, and fills in what may be left out. */
export const networkSchema = z.xor(
  [
    z.strictObject({
      /** An existing VPC, by ids; nothing is looked up at synth. */
      existing: z.strictObject({
        vpcId: vpcIdSchema,
        /** Private subnets with a way to the AWS APIs (NAT or interface endpoints) and to the target. */
        subnetIds: z.array(subnetIdSchema).min(1).max(16).refine(unique, { error: 'names a subnet twice' }),
        /** Security groups of the functions. @default - one is created that lets out `egress` and HTTPS only */
        securityGroupIds: z
          .array(securityGroupIdSchema)
          .min(1)
          .max(5)
          .refine(unique, { error: 'names a security group twice' })
          .optional(),
        egress: z.array(egressSchema).max(50).default([]),
      }),
    }),
    z.strictObject({
      /** A new VPC without a way to the internet: isolated subnets and endpoints for the AWS APIs in use. */
      create: z.strictObject({
        cidr: rangeSchema.default('10.0.0.0/20'),
        /** Number of zones, or their names. @default 2 */
        availabilityZones: z
          .union(
            [
              z.int().min(1).max(3),
              z
                .array(
                  z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'must be a zone such as eu-central-1a'),
                )
                .min(1)
                .max(3)
                .refine(unique, { error: 'names a zone twice' }),
            ],
            { error: 'must be a number from 1 to 3, or the names of up to 3 zones' },
          )
          .default(2),
        /** Target ports that may be reached inside the VPC. */
        ports: z.array(z.int().min(1).max(65_535)).max(20).default([5432]),
        /** Ways to where the targets are, when they are not in this VPC. */
        connect: z.array(connectionSchema).max(20).default([]),
        /** Places on those ways that may be reached. */
        egress: z.array(egressSchema).max(40).default([]),
      }),
    }),
  ],
  { error: 'must have exactly one of `existing` and `create`' },
);

const adminSecretSchema = z.xor(
  [
    z.strictObject({ secret: z.string().min(1) }),
    z.strictObject({ adopt: secretIdSchema, encryptionKey: keyArnSchema.optional() }),
  ],
  { error: 'must have exactly one of `secret` (a key of `secrets`) and `adopt` (name or ARN)' },
);

const identitySchema = z.strictObject({
  username: z.string().min(1).max(256),
  host: z
    .string()
    .min(1)
    .max(253)
    .refine((host) => !isProxyHost(host), { error: proxyAdvice }),
  /** Port of the server. @default - the port of the type */
  port: z.int().min(1).max(65_535).optional(),
  /** True for TLS, false for plaintext. @default - what a secret without `ssl` means: TLS */
  ssl: z.boolean().optional(),
});

const createSchema = z.strictObject({
  /** The secret is named `/<environment>/<name>`. */
  name: secretNameSchema,
  /** Content of the secret's JSON besides the credential; its next rotation writes it. */
  fields: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .refine((fields) => !Object.hasOwn(fields, 'password'), {
      error: 'must not hold `password`: Secrets Manager generates it, and it would stand in the template',
      path: ['password'],
    })
    .refine((fields) => !Object.hasOwn(fields, 'masterarn'), {
      error: 'must not hold `masterarn`: name the admin secret in `adminSecret`',
      path: ['masterarn'],
    })
    .refine(({ host }) => typeof host !== 'string' || !isProxyHost(host), {
      error: proxyAdvice,
      path: ['host'],
    }),
});

const secretSchema = z
  .strictObject({
    type: z.enum(secretTypes),
    strategy: z.enum(strategies),
    create: createSchema.optional(),
    /** Name or full ARN of an existing secret. Its value and its policy stay as they are until it rotates. */
    adopt: secretIdSchema.optional(),
    /** Key that encrypts an adopted secret, where that is not the AWS managed one. */
    encryptionKey: keyArnSchema.optional(),
    /** ARN of the function that rotates secrets of the type `external`; the other types have Rekey's own. */
    rotationFunction: functionArnSchema.optional(),
    /** Secret of the admin that sets the password. @default - the secret's own login changes its own password */
    adminSecret: adminSecretSchema.optional(),
    /**
     * The user and the place that an adopted secret is for. Needed where no version of it logs in and the admin shall set a
     * password, or where the admin's own place differs. @default - a version must have logged in, where the admin's place is
     */
    identity: identitySchema.optional(),
    /** A key of `networks`. @default - the function is not attached to a VPC */
    network: z.string().optional(),
    /** Team or person that answers for the secret. */
    owner: z.string().min(1).max(128),
    /** Sentence that says what the secret is for. */
    purpose: z.string().min(1).max(256).optional(),
    /** Last day on which the secret works: after it, its target refuses it and it rotates no more. @default - it works for good */
    expires: daySchema.optional(),
    /** Workloads that read the secret. */
    consumers: z.array(z.string().min(1).max(64)).max(40).default([]),
    /** Other secrets, and things outside Rekey, that whoever holds this one gets at. A revocation can follow them. */
    leadsTo: leadsSchema.default([]),
    /** Rules for its generated passwords, for consumers that put them into a URL, say. @default - those of the environment */
    passwords: passwordsSchema.optional(),
    /** Times at which the secret rotates. @default - the environment's `rotation.schedule` */
    schedule: scheduleSchema.optional(),
    /** Days after which a secret that has not rotated is overdue. @default - the environment's `rotation.maximumAgeDays` */
    maximumAgeDays: z.int().min(1).max(1000).optional(),
    /**
     * Rotates the secret once, when it is first deployed.
     * @default - true when created, false when adopted
     */
    rotateOnDeploy: z.boolean().optional(),
    /** Permits plaintext where the secret leaves `ssl` out and the server offers no TLS; raises a finding. */
    allowPlaintext: z.boolean().default(false),
    /** ARNs of what the functions may change, for types whose target is an AWS API: a user, a database. */
    resources: z.array(z.string().min(1)).max(50).default([]),
    /** Permits HTTP APIs on private, loopback and link-local addresses. */
    allowPrivateAddresses: z.boolean().default(false),
    /** PEM file with the authorities of the target's certificate, relative to the configuration file. */
    certificateAuthority: z.string().min(1).optional(),
  })
  .refine((secret) => (secret.create === undefined) !== (secret.adopt === undefined), {
    error: 'must have exactly one of `create` and `adopt`',
  })
  .refine(({ identity, create }) => identity === undefined || create === undefined, {
    error: 'is only for adopted secrets; a created one says it in create.fields',
    path: ['identity'],
  })
  .refine((secret) => secret.encryptionKey === undefined || secret.adopt !== undefined, {
    error: 'is only for adopted secrets; created ones use the key of the environment',
    path: ['encryptionKey'],
  });

const reserved = z.int().min(1).max(900).optional();

const environmentSchema = z.strictObject({
  /**
   * Id of the account that the environment is deployed to.
   * @default - the account of the credentials that the CDK CLI runs with
   */
  account: z
    .string()
    .regex(/^\d{12}$/, 'must be 12 digits')
    .optional(),
  /** Region that the environment is deployed to. @default - the region that the CDK CLI runs with */
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as eu-central-1')
    .optional(),
  audit: auditSchema,
  rotation: z
    .strictObject({
      schedule: scheduleSchema.default(usualSchedule),
      /**
       * Hours for which a `dual-credential` target goes on accepting the credential before the current one. Their end is looked
       * for every hour.
       */
      overlapHours: z.int().min(0).max(8760).default(24),
      /** Hours after the overlap until a disabled credential is removed, where the target can disable. */
      graceHours: z.int().min(0).max(8760).default(24),
      /**
       * Number of different secrets of one rotation function that fail in a row before none of its rotations begins. New code
       * of it begins with one rotation. 0: neither.
       */
      brakeAfter: z
        .int()
        .min(0)
        .max(10)
        .refine(
          (after) => after !== 1,
          'must be 0, for no brake, or from 2: one secret never stops the others',
        )
        .default(5),
      /** Days after which a secret that has not rotated is overdue. */
      maximumAgeDays: z.int().min(1).max(1000).default(45),
    })
    .prefault({}),
  passwords: passwordsSchema.default({}),
  /** Strategies that secrets of this environment may use. */
  strategies: z
    .array(z.enum(strategies))
    .min(1)
    .default([...strategies]),
  /** Days for which the bus keeps events for a replay. @default - no archive */
  eventArchiveDays: z.int().min(1).max(3650).optional(),
  /**
   * True to keep fingerprints of all values. With them `rekey whose` says which secret holds a value that was found somewhere.
   * They cost a key and two tables.
   */
  fingerprints: z.boolean().default(false),
  notifications: z
    .strictObject({
      /** Addresses that alarms are mailed to; each confirms once. */
      emails: z.array(z.email()).max(20).default([]),
      /** An existing SNS topic in place of Rekey's own. Its policy must let CloudWatch publish. */
      topicArn: topicArnSchema.optional(),
      ...notifierFields,
    })
    .superRefine((value, context) => {
      for (const { path, message } of mismatches(value)) {
        context.addIssue({ code: 'custom', path: [...path], message });
      }
    })
    .refine((value) => value.topicArn === undefined || value.emails.length === 0, {
      error: 'must be empty with `topicArn`: subscribe addresses to that topic itself',
      path: ['emails'],
    })
    .prefault({}),
  access: z
    .strictObject({
      operators: z.array(principalSchema).max(50).default([]),
      responders: z.array(principalSchema).max(50).default([]),
      auditors: z.array(principalSchema).max(50).default([]),
      /** Principals that prepare changes of the environment's policy, and deploy none. */
      policyAuthors: z.array(principalSchema).max(50).default([]),
      /** Principals that answer requests of others, and make none. */
      approvers: z.array(principalSchema).max(50).default([]),
      /** True if an operator or a responder acts for one owner's secrets alone. The session's tag `rekey:owner` names the owner. */
      byOwner: z.boolean().default(false),
      /**
       * Key of IAM that names the sessions of operators, responders and approvers, so that nobody is two people. It is
       * `aws:username` for IAM users, and `aws:PrincipalTag/<key>` for others. @default - whoever takes a role chooses the name
       */
      sessionName: sessionNameSchema.optional(),
    })
    .prefault({}),
  revocation: z
    .strictObject({
      /** Event sources that may ask for a revocation; `rekey.cli` is the operator CLI. */
      sources: z
        .array(
          z
            .string()
            .max(256)
            .regex(
              /^(?!aws\.)[A-Za-z0-9._/-]+$/,
              'must be the source of a custom event, which does not start with aws.',
            ),
        )
        .min(1)
        .max(20)
        .default(['rekey.cli']),
      /** Further accounts that may ask: the bus takes revocation requests of them, and nothing else. */
      accounts: z
        .array(z.string().regex(/^\d{12}$/, 'must be 12 digits'))
        .max(20)
        .default([]),
      /** Age in hours above which requests are refused. */
      maximumAgeHours: z.int().min(1).max(168).default(24),
      /** Rotations that revocations of several secrets start in a second. @default - as many as AWS's quotas allow */
      rotationsPerSecond: z.int().min(rotationRates.least).max(rotationRates.most).optional(),
      ...elsewhereFields,
    })
    .prefault({}),
  /** Operations that need a second person. @default - none does */
  approvals: approvalsSchema,
  /**
   * Executions that Lambda keeps free for the emergency path, per function. Each is taken from what the account's other
   * functions share, and is the function's upper bound as well.
   * @see https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
   */
  reservedConcurrency: z
    .strictObject({
      /** The function that takes requests for revocations. */
      intake: reserved,
      /** Each function of the revocation workflow's own: those that replace the credential and report. */
      workflow: reserved,
      /** Each function that cuts credentials off. */
      containment: reserved,
      /** The writer of the audit log, which never runs twice at once: its queue has one message group. */
      writer: z
        .literal(1, { error: 'must be 1: the queue has one message group, so it never runs twice' })
        .optional(),
      /** The account's quota of concurrent executions in the region, of which AWS keeps 100 unreserved. */
      quota: z.int().min(10).default(1000),
    })
    .prefault({}),
  ...lifecycleFields,
  /** Workloads, by the names in the secrets' `consumers`, with the credentials that they issue. */
  consumers: consumersSchema.default({}),
  ...signalFields,
  /** CloudTrail's own record of who called. @default - none: who asks is the sender's own word */
  trail: trailSchema.optional(),
  ...quarantineFields,
  /** Limits that the environment and its secrets are held to at synth. @default - `policy`, or none if there is none either */
  policy: environmentPolicySchema.optional(),
  networks: z.record(keySchema(32), networkSchema).default({}),
  secrets: z.record(keySchema(64), secretSchema).default({}),
});

export const configurationSchema = z.strictObject({
  /** The form that the configuration is written in; a newer version of Rekey may take another one. */
  form: z.int().min(1).default(1),
  /** Policy of the organization, which every environment inherits. @default - none */
  policy: policySchema.optional(),
  environments: z
    .record(environmentNameSchema, environmentSchema)
    .refine((all) => Object.keys(all).length > 0, {
      error: 'must name at least one environment',
    }),
});

/** Replaces the secrets of an environment by their kinds. */
type WithSecrets<Environment, Secrets> = Omit<Environment, 'secrets'> & Secrets;
type EnvironmentInput = WithSecrets<
  z.input<typeof environmentSchema>,
  { readonly secrets?: Readonly<Record<string, SecretInput>> | undefined }
>;

/**
 * A configuration as it is written, where what has a default may be missing.
 * @useDeclaredType
 */
export type ConfigurationInput = Omit<z.input<typeof configurationSchema>, 'environments'> & {
  readonly environments: Readonly<Record<string, EnvironmentInput>>;
};
/**
 * A configuration that was checked, with every default in its place.
 * @useDeclaredType
 */
export type Configuration = Omit<LooseConfiguration, 'environments'> & {
  readonly environments: Readonly<Record<string, EnvironmentConfiguration>>;
};
/**
 * One environment of a configuration that was checked.
 * @useDeclaredType
 */
export type EnvironmentConfiguration = WithSecrets<
  LooseEnvironment,
  { readonly secrets: Readonly<Record<string, SecretConfiguration>> }
>;
export type SecretInput = SecretKind<z.input<typeof secretSchema>>;
export type SecretConfiguration = SecretKind<LooseSecret>;
export type NetworkInput = z.input<typeof networkSchema>;
export type NetworkConfiguration = z.output<typeof networkSchema>;
export type CreatedNetworkConfiguration = Extract<NetworkConfiguration, { create: object }>['create'];
export type PasswordConfiguration = z.output<typeof passwordsSchema>;

/** A configuration of the right form, before the rules have looked at what its settings say together. */
export type LooseConfiguration = z.output<typeof configurationSchema>;
export type LooseEnvironment = z.output<typeof environmentSchema>;
export type LooseSecret = z.output<typeof secretSchema>;
export type LooseSecretInput = z.input<typeof secretSchema>;
