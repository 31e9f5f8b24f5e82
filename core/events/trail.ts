import * as z from 'zod';

/** Schemas of the events on what CloudTrail recorded, by detail type. */
export const trailSchemas = {
  'Request Attributed': z.object({
    /** Id of the request. Of a rotation it is that of the version, and else that of the event itself. */
    requestId: z.string().min(1),
    /** Detail type of the event by which it was asked for. */
    about: z.string().min(1).max(128),
    /** Name of what it is about, such as a secret. */
    subject: z.string().min(1).max(256),
    /** Actor in the sender's own words; absent for a rotation, of which nobody says who asked. */
    claimed: z.string().max(512).optional(),
    /** Caller as CloudTrail recorded it. */
    proven: z.object({
      /** ARN of the session, user or service. */
      principal: z.string().min(1).max(2_048),
      /** ARN of the role whose session it is, or of the user. */
      identity: z.string().max(2_048).optional(),
      /** Name of the session. */
      session: z.string().max(64).optional(),
      /** ARN of the Lambda function that has the credentials. */
      function: z.string().max(512).optional(),
      sourceAddress: z.string().max(256),
      userAgent: z.string().max(512),
      /** Time of the call. */
      time: z.iso.datetime(),
      /** `eventID` of the record in the trail. */
      trailEventId: z.string().min(1).max(128),
    }),
    /** False where the words of the sender do not name the caller. */
    agrees: z.boolean(),
  }),
} as const;
