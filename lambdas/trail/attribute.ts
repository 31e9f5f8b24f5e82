import * as z from 'zod';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { createEvent, type EventOrigin } from '../../core/events/create.ts';
import type { EventBus } from '../../core/ports.ts';
import {
  type AskingCall,
  askingCall,
  attribution,
  belongs,
  pairOfClaim,
  pairOfEvent,
  pairOfRotation,
} from '../../core/trail/attribution.ts';
import type { TrailCall } from '../../core/trail/call.ts';
import { type Claim, claimIn, isAttributed } from '../../core/trail/claim.ts';
import { eventsPut, rotationAsked, secretsRead } from '../../core/trail/deeds.ts';
import { trailCalls } from '../../core/trail/file.ts';
import type { LastRead, Pair, TrailFiles, TrailMemory } from '../../core/trail/ports.ts';

export interface AttributionDependencies {
  readonly files: TrailFiles;
  /** Name of the bucket of the trail. */
  readonly bucket: string;
  /** Beginning of the keys of the account's and region's files. */
  readonly keyPrefix: string;
  readonly busArn: string;
  readonly memory: TrailMemory;
  /** Takes records, by bus or queue. An error brings the message again. */
  readonly records: EventBus;
  readonly origin: EventOrigin;
}

/** Counts of what became of one message. */
export interface AttributionReport {
  /** Events that told of a request and its caller. */
  readonly told: number;
  /** Those among them whose sender named somebody else. */
  readonly disputed: number;
  /** Calls that were read. */
  readonly calls: number;
  /** Records of another form than CloudTrail documents. */
  readonly unreadable: number;
}

const nothing: AttributionReport = { told: 0, disputed: 0, calls: 0, unreadable: 0 };

/** A file that S3 tells of. @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
const createdSchema = z.object({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string().min(1), 'version-id': z.string().optional() }),
  }),
});

/** Reads of one file that are kept in memory before they are written. */
const mostReads = 5_000;

/**
 * Takes a file of the trail, or the word of a sender. When both halves of a pair are there, in whichever order they came, it
 * publishes `Request Attributed`. The same message again changes nothing.
 * @throws RekeyError `TrailFileInvalid` for a file that CloudTrail did not write; what stands before the fault has been taken
 */
export async function attribute(
  message: unknown,
  dependencies: AttributionDependencies,
): Promise<AttributionReport> {
  const created = createdSchema.safeParse(message).data;
  if (created !== undefined) {
    const { bucket, object } = created.detail;
    const isOfTrail =
      bucket.name === dependencies.bucket &&
      object.key.startsWith(dependencies.keyPrefix) &&
      object.key.endsWith('.json.gz');
    return isOfTrail ? await takeFile(object.key, object['version-id'], dependencies) : nothing;
  }
  const claim = claimIn(message);
  if (claim === undefined) return nothing;
  const pair = pairOfClaim(claim);
  return { ...nothing, ...(await tellOf(pair, await dependencies.memory.claim(pair, claim), dependencies)) };
}

async function takeFile(
  key: string,
  version: string | undefined,
  dependencies: AttributionDependencies,
): Promise<AttributionReport> {
  const { files, memory } = dependencies;
  const reads = new Map<string, LastRead>();
  const flush = async () => {
    if (reads.size > 0) await memory.read([...reads.values()]);
    reads.clear();
  };
  let report = nothing;
  let [oldest, newest] = ['', ''];
  try {
    for await (const call of trailCalls(await files.open(key, version))) {
      if (call === undefined) {
        report = { ...report, unreadable: report.unreadable + 1 };
        continue;
      }
      if (oldest === '' || call.time < oldest) oldest = call.time;
      if (call.time > newest) newest = call.time;
      for (const read of readsOf(call)) {
        const known = `${read.identity}\n${read.secret}`;
        if ((reads.get(known)?.time ?? '') < read.time) reads.set(known, read);
      }
      if (reads.size >= mostReads) await flush();
      const { told, disputed } = await takeCall(call, dependencies);
      report = {
        ...report,
        told: report.told + told,
        disputed: report.disputed + disputed,
        calls: report.calls + 1,
      };
    }
  } finally {
    // What was read before a fault was read all the same.
    await flush();
  }
  for (const time of [oldest, newest]) if (time !== '') await memory.reached(time);
  return report;
}

const readsOf = (call: TrailCall): readonly LastRead[] => {
  const { identity } = call.caller;
  return identity === undefined
    ? []
    : secretsRead(call).map((secret) => ({ identity, secret, time: call.time }));
};

async function takeCall(
  call: TrailCall,
  dependencies: AttributionDependencies,
): Promise<Pick<AttributionReport, 'told' | 'disputed'>> {
  const rotation = rotationAsked(call);
  const halves: (readonly [string, AskingCall])[] = eventsPut(call, dependencies.busArn)
    .filter(({ detailType }) => isAttributed(detailType) && detailType !== 'Secret Rotation Started')
    .map(({ eventId }) => [pairOfEvent(eventId), askingCall(call)]);
  if (rotation !== undefined) {
    halves.push([pairOfRotation(rotation.versionId), askingCall(call, rotation.secret)]);
  }
  let [told, disputed] = [0, 0];
  for (const [pair, half] of halves) {
    const counts = await tellOf(pair, await dependencies.memory.call(pair, half), dependencies);
    told += counts.told;
    disputed += counts.disputed;
  }
  return { told, disputed };
}

/** Publishes what a pair tells, and has not told yet. */
async function tellOf(
  pair: string,
  { claims, calls, told }: Pair,
  { memory, records, origin }: AttributionDependencies,
): Promise<Pick<AttributionReport, 'told' | 'disputed'>> {
  const matches = claims.flatMap((claim) =>
    calls.filter((call) => belongs(claim, call)).map((call) => ({ claim, call, id: idOf(claim, call) })),
  );
  let [now, disputed] = [0, 0];
  for (const { claim, call, id } of matches) {
    if (told.has(id)) continue;
    const data = attribution(claim, call);
    await records.publish([
      createEvent(origin, 'Request Attributed', data, {
        correlationId: claim.correlationId,
        causationId: claim.factId,
        fact: id,
      }),
    ]);
    await memory.tell(pair, id);
    now += 1;
    if (!data.agrees) disputed += 1;
  }
  return { told: now, disputed };
}

/** Names a claim and its call together. An id is 128 characters at most, so both fit a key. */
const idOf = (claim: Claim, call: AskingCall): string => `${claim.eventId} ${call.id}`;

/** A message of the queue, as Lambda hands it over. */
export interface QueuedMessage {
  readonly messageId: string;
  readonly body: string;
}

/** The ways of a batch besides its own work. */
export interface BatchWays {
  /** Milliseconds that the function may still run. */
  readonly remainingMs: () => number;
  readonly done: (report: AttributionReport) => void;
  readonly failed: (error: unknown) => void;
}

/** Milliseconds below which no further message is begun. A large file takes about a minute. */
const leastMs = 90_000;

/**
 * Takes a batch of messages, and answers which of them are to come again. Those are the failed ones, and those for which no time
 * is left.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export async function attributeBatch(
  messages: readonly QueuedMessage[],
  dependencies: AttributionDependencies,
  { remainingMs, done, failed }: BatchWays,
): Promise<{ readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }> {
  const again: { itemIdentifier: string }[] = [];
  for (const [place, { messageId, body }] of messages.entries()) {
    if (place > 0 && remainingMs() < leastMs) {
      again.push({ itemIdentifier: messageId });
      continue;
    }
    try {
      done(await attribute(parsed(body), dependencies));
    } catch (error) {
      failed(error);
      again.push({ itemIdentifier: messageId });
    }
  }
  return { batchItemFailures: again };
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new RekeyError(
      'TrailFileInvalid',
      'a message of the queue is no JSON; nobody but its rules may send there',
    );
  }
}
