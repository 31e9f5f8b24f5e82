import type { Alive } from '../../core/fingerprint/alive.ts';
import { candidatesIn } from '../../core/fingerprint/candidates.ts';
import { hashOf, hashPattern } from '../../core/fingerprint/digest.ts';
import { isGuessable } from '../../core/fingerprint/guessable.ts';
import type { AccessKeyOwner } from '../../core/operator-ports.ts';
import type { Selection } from '../../core/revocation/selection.ts';
import { stages } from '../../core/secret/secret.ts';
import type { NamedSecrets, ScanReport } from '../../core/signal/scanner-report.ts';
import type { Invocation } from '../context.ts';
import { openEnvironment } from '../environment.ts';
import { type ExitCode, usageError } from '../errors.ts';
import { explain } from '../failure.ts';
import { type Asked, askLookup, type Finding, standOf } from '../fingerprint-lookup.ts';
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

const accessKeyPattern = /^A(?:KI|SI)A[A-Z0-9]{12,124}$/;

/** The hashes to look up, and what to say of them. */
interface Question {
  readonly asked: readonly Asked[];
  /** Remark for a value that is not found. */
  readonly remark?: string;
  readonly accessKeyId?: string;
  /** Sentences on what was given and cannot be looked up. */
  readonly notes?: readonly string[];
}

const tones: Readonly<Record<Alive, Tone>> = { yes: 'bad', perhaps: 'warn', no: 'good' };

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
  const matches = await askLookup(invocation, environment, question.asked);
  const [findings, key] = [
    await standOf(invocation, matches, question.asked),
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
  const scan = fromScan === undefined ? undefined : await scanReport(fromScan);
  if (scan?.named !== undefined) return await secretsNamed(invocation, scan.named);
  const { asked, remark, notes } = scan === undefined ? await read(invocation, nothing) : questionOf(scan);
  const environment = await openEnvironment(invocation);
  for (const note of notes ?? []) invocation.output.note(note, 'warn');
  const matches = await askLookup(invocation, environment, asked);
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
 * Takes the secrets that `rekey scan --live` has found already.
 * @throws CliError `UsageInvalid` for a report on another environment, `SecretUnknown` for one that names none
 */
async function secretsNamed(
  invocation: Invocation,
  { environment, secrets }: NamedSecrets,
): Promise<Selection> {
  const { name } = await openEnvironment(invocation);
  if (name !== environment) {
    throw usageError('UsageInvalid', `the report is on environment ${environment}, and not on ${name}`);
  }
  if (secrets.length > 0) {
    return { secrets: secrets.map(({ secret, versions }) => ({ secret, versions: [...versions] })) };
  }
  throw usageError(
    'SecretUnknown',
    `the scan found no value that a secret of environment ${name} has or had`,
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
  const report = await scanReport(file);
  if (report.named !== undefined) {
    throw usageError(
      'UsageInvalid',
      'rekey scan has looked its values up already, and its report names their secrets; give it to rekey revoke --from-scan',
    );
  }
  return questionOf(report);
}

/** Makes the question of a report. @throws CliError `UsageInvalid` where it has too many values */
function questionOf({ candidates, findings }: ScanReport): Question {
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
