import * as z from 'zod';
import { memberNameSchema, mostMembers } from '../../core/revocation/selection.ts';

const placeFields = {
  /** Name of the environment in the configuration that it was deployed from. */
  environment: z.string().regex(/^[a-z][a-z0-9-]{0,19}$/, 'must be the name of an environment'),
  account: z.string().regex(/^\d{12}$/, 'must be 12 digits'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as eu-central-1'),
};

/** The part of `revocation` that is about environments in other accounts and regions. */
export const elsewhereFields = {
  /** Environments elsewhere that a request may be about, too, by names of your own. Each names this one as its `coordinator`. */
  members: z
    .record(
      memberNameSchema,
      z.strictObject({
        ...placeFields,
        /** Name of the role that it has for its coordinator. @default - the one that Rekey creates there */
        role: z
          .string()
          .regex(/^[\w+=,.@-]{1,64}$/, 'must be the name of a role')
          .optional(),
      }),
    )
    .refine((members) => Object.keys(members).length <= mostMembers, {
      error: `must not have more than ${mostMembers} members`,
    })
    .default({}),
  /** Environment elsewhere that may have its revocations be about secrets of this one. @default - none may */
  coordinator: z.strictObject(placeFields).optional(),
};
