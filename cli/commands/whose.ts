import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type Alive, aliveBy } from '../../core/fingerprint/alive.ts';
import { candidatesIn } from '../../core/fingerprint/candidates.ts';
import { hashOf, hashPattern } from '../../core/fingerprint/digest.ts';
import { isGuessable } from '../../core/fingerprint/guessable.ts';
import { type LookupAnswer, type Match, mostCandidates } from '../../core/fingerprint/lookup.ts';
import type { AccessKeyOwner } from '../../core/operator-ports.ts';
import type { Selection } from '../../core/revocation/selection.ts';
import { stages } from '../../core/secret/secret.ts';
import { isUnverifiable } from '../../rotators/registry.ts';
import type { Invocation } from '../context.ts';
import { type Environment, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import type { Tone } from '../output.ts';
import { scanReport } from '../scan-report.ts';
import { formatRelative } from '../time.ts';

export interface WhoseOptions {
  /** Words behind the command; at most one, and never a value. */
  readonly words: readonly string[];
  /** True if standard input holds hashes, one a line. */
  readonly hashes: boolean;
  /** File with the report of a scanner, whose values are looked up. */
  readonly fromScan?: string | undefined;
}

/** Hashes that one run looks up. */
const mostHashes = 1_000;
/** Seconds that a run waits for its turn. */
const longestWait = 60;

const accessKeyPattern = /^A(?:KI|SI)A[A-Z0-9]{12,124}$/;

/** One hash to look up, and where it comes from. */
interface Asked {
  readonly hash: string;
  /** Steps from what was given to what was hashed. */
  readonly form: string;
  /** Line of `--hashes`. */
  readonly line?: number;
}

/** The hashes to look up, and what to say of them. */
interface Question {
  readonly asked: readonly Asked[];
  /** Remark for a value that is not found. */
  readonly remark?: string;
  readonly accessKeyId?: string;
  /** Sentences on what was given and cannot be looked up. */
  readonly notes?: readonly string[];
}

/** A match, with the labels that count and what follows from them. */
interface Finding extends Omit<Match, 'candidate'> {
  readonly alive: Alive;
  readonly form: string;
  readonly line?: number;
}

const tones: Readonly<Record<Alive, Tone>> = { yes: 'bad', perhaps: 'warn', no: 'good' };
const order: readonly Alive[] = ['yes', 'perhaps', 'no'];

/**
 * Runs `rekey whose`: finds the secret that a value is of, by hashes of the forms that it may have. Neither the value nor a hash
 * of it is printed.
 */
export async function whose(invocation: Invocation, options: WhoseOptions): Promise<ExitCode> {
  const { output, context } = invocation;
  const question =
    options.fromScan === undefined
      ? await read(invocation, options)
      : await scanned(options.fromScan, options);
  const environment = await openEnvironment(invocation);
  for (const note of question.notes ?? []) output.note(note, 'warn');
  const matches = await ask(invocation, environment, question.asked);
  const [findings, key] = [
    await stand(invocation, matches, question.asked),
    await ownerOf(invocation, question.accessKeyId),
  ];
  const found = findings.length > 0;
  output.document({
    environment: environment.name,
    candidates: question.asked.length,
    found,
    matches: findings.map((finding) => documentOf(finding, environment.name)),
    accessKey:
      key === undefined
        ? null
        : {
            accessKeyId: question.accessKeyId,
            user: key.user,
            lastUsed: key.lastUsed?.toISOString() ?? null,
          },
  });
  if (found) report(invocation, environment.name, findings);
  else {
    output.line(
      `No secret of environment ${environment.name} has or had this value, as far as its fingerprints tell.`,
      'warn',
    );
    if (question.remark !== undefined) output.note(question.remark, 'dim');
  }
  if (key !== undefined) {
    const { user, lastUsed } = key;
    const used =
      lastUsed === undefined
        ? 'of which no use is known'
        : `last used ${formatRelative(lastUsed, context.clock.now())}`;
    output.line(`IAM: the access key is of user ${user}, ${used}.`);
    if (!found) output.note('No secret holds it: deactivate it with aws iam update-access-key.', 'warn');
  }
  return found ? 0 : 1;
}

/**
 * Finds the secrets that have leaked values, and the versions that hold them. The values are read from the report of a scanner,
 * or one of them from standard input.
 * @throws CliError `SecretUnknown` where none has one
 */
export async function secretsWithValue(invocation: Invocation, fromScan?: string): Promise<Selection> {
  const nothing = { words: [], hashes: false };
  const { asked, remark, notes } =
    fromScan === undefined ? await read(invocation, nothing) : await scanned(fromScan, nothing);
  const environment = await openEnvironment(invocation);
  for (const note of notes ?? []) invocation.output.note(note, 'warn');
  const matches = await ask(invocation, environment, asked);
  // What was deleted cannot be revoked, and keeps nothing from being done for the others.
  const there = matches.filter(({ goneBy }) => goneBy === undefined);
  const secrets = [...Map.groupBy(there, ({ secretArn }) => secretArn)].map(([secret, found]) => ({
    secret,
    versions: [...new Set(found.map(({ versionId }) => versionId))],
  }));
  if (secrets.length > 0) return { secrets };
  throw usageError(
    'SecretUnknown',
    `no secret of environment ${environment.name} has or had ${fromScan === undefined ? 'this value' : 'a value of this report'}, as far as its fingerprints tell${remark === undefined ? '' : `. ${remark}`}`,
  );
}

/**
 * Reads what to look up: an argument that is no secret, or standard input.
 * @throws CliError `ValueInArgument` | `ValueMissing` | `ValueTooLong` | `UsageInvalid`
 */
async function read({ context }: Invocation, { words, hashes }: WhoseOptions): Promise<Question> {
  const [word, ...others] = words;
  if (word !== undefined) {
    if (others.length === 0 && !hashes && accessKeyPattern.test(word)) {
      return { asked: [{ hash: hashOf(word), form: 'the id of an access key' }], accessKeyId: word };
    }
    const hash = word.toLowerCase();
    if (others.length === 0 && !hashes && hashPattern.test(hash)) {
      return {
        asked: [{ hash, form: 'a SHA-256' }],
        remark:
          'If that was a value and not its SHA-256, give it on standard input, and take it for leaked: a shell keeps what is typed.',
      };
    }
    throw usageError(
      'ValueInArgument',
      'an argument must be the id of an access key (AKIA…) or a SHA-256 of 64 hexadecimal digits; it is not repeated here, since it may be a secret. Run rekey whose without it, and give the value on standard input; take what was typed for leaked, since a shell keeps it',
    );
  }
  const text = await context.readHidden(
    hashes ? 'SHA-256, one a line: ' : 'Value to look up (it is not shown): ',
  );
  if (text.trim() === '') {
    throw usageError('ValueMissing', 'standard input held nothing to look up');
  }
  if (hashes) return { asked: listed(text) };
  return {
    asked: candidatesIn(text).map(({ value, form }) => ({ hash: hashOf(value), form })),
    ...(isGuessable(text.trim()) && {
      remark:
        'Many would guess this value, and such values get no fingerprint: it may be in use all the same.',
    }),
  };
}

/**
 * Reads the report of a scanner. Each value is asked for once, under the first place in which it was found.
 * @throws CliError `UsageInvalid`; RekeyError `ScanReportInvalid`
 */
async function scanned(file: string, { words, hashes }: WhoseOptions): Promise<Question> {
  if (words.length > 0 || hashes) {
    throw usageError(
      'UsageInvalid',
      '--from-scan takes its values from the report alone; leave the others out',
    );
  }
  const { candidates, findings } = await scanReport(file);
  const places = new Map<string, string>();
  for (const { sha256, place } of candidates) {
    const at = [place.file ?? 'no place', ...(place.line === undefined ? [] : [String(place.line)])].join(
      ':',
    );
    if (!places.has(sha256)) places.set(sha256, at);
  }
  if (places.size > mostHashes) {
    throw usageError(
      'UsageInvalid',
      `the report has ${places.size} values, and ${mostHashes} are looked up at once; divide it`,
    );
  }
  return { asked: [...places].map(([hash, form]) => ({ hash, form })), notes: findings };
}

/** Reads the lines of `--hashes`. What is none is named by its line, since it may be a secret. */
function listed(text: string): readonly Asked[] {
  const asked = text.split(/\r?\n/).flatMap((line, index) => {
    const hash = line.trim().toLowerCase();
    if (hash === '') return [];
    if (!hashPattern.test(hash)) {
      throw usageError(
        'UsageInvalid',
        `line ${index + 1} of standard input is no SHA-256 of 64 hexadecimal digits; nothing was looked up`,
      );
    }
    return [{ hash, form: 'a SHA-256', line: index + 1 }];
  });
  if (asked.length > mostHashes) {
    throw usageError(
      'UsageInvalid',
      `standard input has ${asked.length} hashes, and ${mostHashes} are looked up at once; divide them`,
    );
  }
  return asked;
}

/**
 * Asks the lookup function, a hundred hashes at a time. Where it is another one's turn, it waits for a minute at most.
 * @throws CliError `FingerprintsOff` | `LookupsExhausted` | `LookupMalformed`
 */
async function ask(
  { cloud, context, output }: Invocation,
  { name, facts }: Environment,
  asked: readonly Asked[],
): Promise<readonly Match[]> {
  const { fingerprintLookupFunction } = facts;
  if (fingerprintLookupFunction === undefined) {
    throw new CliError(
      3,
      'FingerprintsOff',
      `environment ${name} keeps no fingerprints; set fingerprints: true in its configuration and deploy`,
    );
  }
  const service = await cloud.fingerprints();
  const claimedActor = await cloud.identity().then(
    ({ arn }) => arn.slice(0, 512),
    () => undefined,
  );
  const matches: Match[] = [];
  for (let from = 0; from < asked.length; from += mostCandidates) {
    const hashes = asked.slice(from, from + mostCandidates).map(({ hash }) => hash);
    const request = { hashes, ...(claimedActor !== undefined && { claimedActor }) };
    let answer = await service.lookUp(fingerprintLookupFunction, request);
    for (let waited = 0; mayWait(answer, waited) && !context.signal.aborted; ) {
      const { retryAfterSeconds } = answer;
      output.progress(`${from} of ${asked.length} looked up; the next ones in ${retryAfterSeconds} s`);
      await context.sleep(retryAfterSeconds * 1_000);
      waited += retryAfterSeconds;
      answer = await service.lookUp(fingerprintLookupFunction, request);
    }
    output.clearProgress();
    if (answer.outcome === 'refused') {
      const { code, message } = answer.error;
      throw new CliError(3, code === 'LookupMalformed' ? code : 'LookupsExhausted', message);
    }
    matches.push(...answer.matches.map((match) => ({ ...match, candidate: from + match.candidate })));
  }
  return matches;
}

type Refusal = Extract<LookupAnswer, { outcome: 'refused' }>;

const mayWait = (
  answer: LookupAnswer,
  waited: number,
): answer is Refusal & { readonly retryAfterSeconds: number } =>
  answer.outcome === 'refused' &&
  answer.retryAfterSeconds !== undefined &&
  waited + answer.retryAfterSeconds <= longestWait;

/** Looks at the labels of the secrets that were found, where the caller may; else those of the index count. */
async function stand(
  { cloud, output }: Invocation,
  matches: readonly Match[],
  asked: readonly Asked[],
): Promise<readonly Finding[]> {
  const now = new Map<string, Readonly<Record<string, readonly string[]>> | 'gone'>();
  for (const secretArn of new Set(matches.map((match) => match.secretArn))) {
    try {
      now.set(secretArn, (await (await cloud.secrets()).describe(secretArn)).versions);
    } catch (error) {
      const code = error instanceof RekeyError ? error.code : explain(error).code;
      if (code === 'SecretMissing') now.set(secretArn, 'gone');
      else if (code !== 'SecretAccessDenied') {
        output.note(`The labels of ${secretArn} are those of the index: ${explain(error).message}`, 'warn');
      }
    }
  }
  // One value may come in several forms, and one version hold several of the values: the nearest form counts.
  const findings = new Map<string, Finding>();
  for (const { candidate, ...match } of matches) {
    const { form = '', line } = asked[candidate] ?? {};
    const id = `${line ?? ''} ${match.secretArn} ${match.versionId} ${match.parts.join()}`;
    if (findings.has(id)) continue;
    const seen = now.get(match.secretArn);
    const labels = seen === undefined || seen === 'gone' ? match.labels : [...(seen[match.versionId] ?? [])];
    const goneBy = seen === 'gone' ? (match.goneBy ?? match.seenAt) : match.goneBy;
    const unverifiable = isUnverifiable(match.secretType);
    findings.set(id, {
      ...match,
      labels,
      alive: aliveBy({ labels, unverifiable, ...(goneBy !== undefined && { goneBy }) }),
      form,
      ...(goneBy !== undefined && { goneBy }),
      ...(line !== undefined && { line }),
    });
  }
  return [...findings.values()].toSorted((a, b) => order.indexOf(a.alive) - order.indexOf(b.alive));
}

/** Asks IAM for the user of a key. Where that is denied, the answer goes without. */
async function ownerOf(
  { cloud, output }: Invocation,
  accessKeyId: string | undefined,
): Promise<AccessKeyOwner | undefined> {
  // IAM knows no key of a session.
  if (accessKeyId === undefined || accessKeyId.startsWith('ASIA')) return undefined;
  try {
    return await (await cloud.accessKeys()).owner(accessKeyId);
  } catch (error) {
    output.note(`IAM could not be asked whose key this is: ${explain(error).message}`, 'warn');
    return undefined;
  }
}

/** Makes the command that ends the use of a value. A version without a label needs none, and a secret that is gone has none. */
function nextCommand(
  { secretName, versionId, alive, goneBy }: Finding,
  environment: string,
): string | undefined {
  if (alive === 'no' || goneBy !== undefined) return undefined;
  return `rekey revoke ${secretName} --mode kill --version-id ${versionId} --reason "…" --environment ${environment} --wait`;
}

function documentOf(finding: Finding, environment: string) {
  return {
    secretName: finding.secretName,
    secretArn: finding.secretArn,
    secretType: finding.secretType,
    owner: finding.owner,
    versionId: finding.versionId,
    parts: finding.parts,
    labels: finding.labels,
    labelsSeenAt: finding.seenAt,
    alive: finding.alive,
    created: finding.created ?? null,
    replacedBy: finding.replacedBy ?? null,
    goneBy: finding.goneBy ?? null,
    form: finding.form,
    input: finding.line ?? null,
    next: nextCommand(finding, environment) ?? null,
  };
}

function report({ output, context }: Invocation, environment: string, findings: readonly Finding[]): void {
  const now = context.clock.now();
  const withLines = findings.some(({ line }) => line !== undefined);
  output.table(
    [...(withLines ? ['LINE'] : []), 'SECRET', 'VERSION', 'LABELS', 'ALIVE', 'OWNER', 'FOUND AS'],
    findings.map((finding) => [
      ...(withLines ? [String(finding.line ?? '')] : []),
      finding.secretName,
      finding.versionId,
      labelsOf(finding, now),
      { text: finding.alive, tone: tones[finding.alive] },
      finding.owner,
      finding.form,
    ]),
  );
  const commands = [...new Set(findings.flatMap((finding) => nextCommand(finding, environment) ?? []))];
  if (commands.length > 0) {
    const works = findings.some(({ alive }) => alive === 'yes');
    output.note(
      `${works ? 'It works' : 'It may still work'}. Make it stop now, and prove it:`,
      works ? 'bad' : 'warn',
    );
    for (const command of commands) output.note(`  ${command}`);
  } else if (findings.some(({ goneBy }) => goneBy !== undefined)) {
    output.note('Its secret is gone, and its target may accept it all the same: see to it there.', 'warn');
  } else {
    output.note('It was replaced. Only a revocation proves that its target refuses it.', 'dim');
  }
}

/** Names the labels, or since when there is none. */
function labelsOf({ labels, replacedBy, goneBy }: Finding, now: Date): string {
  if (goneBy !== undefined) return `secret gone, ${formatRelative(new Date(goneBy), now)}`;
  if (labels.length > 0) {
    const known: readonly string[] = Object.values(stages);
    return [...labels].sort((a, b) => known.indexOf(a) - known.indexOf(b)).join(', ');
  }
  return replacedBy === undefined ? 'none' : `none, ${formatRelative(new Date(replacedBy), now)}`;
}
