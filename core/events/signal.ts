import * as z from 'zod';

/** Fields of every event on a signal. */
const told = {
  /** Kind of the sender, as the configuration names it. */
  kind: z.string().min(1).max(64),
  /** Id of the matter at the sender. */
  signalId: z.string().min(1).max(256),
  severity: z.enum(['critical', 'high', 'medium', 'low']),
  /** Time at which the sender saw it. */
  seenAt: z.iso.datetime(),
  /** Line of names and types by the sender. */
  evidence: z.string().max(300),
  url: z.string().max(2_100).optional(),
  /** Way in which the configuration has such signals answered. */
  policy: z.enum(['act', 'ask', 'record']),
};

/** Schemas of the events on signals from outside and on honey secrets, by detail type. */
export const signalSchemas = {
  'Signal Received': z.object({
    ...told,
    secretArn: z.string().min(1),
    secretName: z.string().min(1),
    owner: z.string().optional(),
    /** Versions that held what was found; absent where the sender names the secret alone. */
    versions: z.array(z.string()).optional(),
    /** Answer to whether the value still works, by the labels of its versions. */
    alive: z.enum(['yes', 'perhaps', 'no']),
    /** Deed that followed. `replaced`: the value had been replaced before, and nothing was requested. */
    decision: z.enum(['requested', 'asked', 'recorded', 'replaced']),
    /** Command by which a person revokes it. */
    command: z.string().max(2_048).optional(),
  }),
  'Signal Unresolved': z.object({
    ...told,
    /** `unnamed`: the sender does not say which credential it is. `unknown`: no secret of the environment holds it. */
    reason: z.enum(['unnamed', 'unknown']),
    /** Access keys that no secret holds, 20 at most. */
    accessKeyIds: z.array(z.string()).optional(),
    /** Number of subjects that belong to no secret. */
    subjects: z.int().min(0),
  }),
  'Signal Ignored': z.object({
    kind: z.string().min(1).max(64),
    reason: z.string().min(1).max(512),
  }),
  'Signal Rejected': z.object({
    kind: z.string().min(1).max(64),
    error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
  }),
  'Honey Secret Used': z.object({
    /** Key of the honey secret in the configuration. */
    honeySecret: z.string().min(1).max(64),
    secretArn: z.string().min(1),
    secretName: z.string().min(1),
    /** Person or team that is told. */
    owner: z.string().min(1),
    /** Part that was used: the value was read, or the access key signed a call. */
    used: z.enum(['value', 'access key']),
    /** ARN or id of the principal, as CloudTrail has it. */
    principal: z.string().min(1).max(2_048),
    /** Call that was made, such as `secretsmanager:GetSecretValue`. */
    call: z.string().min(1).max(256),
    sourceAddress: z.string().max(256),
    userAgent: z.string().max(512),
    usedAt: z.iso.datetime(),
    /** Code with which AWS refused the call; absent where it went through. */
    refused: z.string().max(128).optional(),
  }),
} as const;
