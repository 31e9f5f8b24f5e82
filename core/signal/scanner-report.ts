import * as z from 'zod';
import { RekeyError } from '../errors/rekey-error.ts';
import { hashOf } from '../fingerprint/digest.ts';
import { plain } from '../notification/text.ts';
import { mostNamedSecrets } from '../revocation/selection.ts';

/** The place in which a scanner found a value. */
export interface ScanPlace {
  readonly file?: string;
  /** Line from 1. */
  readonly line?: number;
  readonly commit?: string;
  /** Rule or type of the scanner, such as `aws-access-token`. */
  readonly rule?: string;
}

/** A value that a scanner found: its SHA-256, and where it was. The value itself is gone. */
export interface ScanCandidate {
  readonly sha256: string;
  readonly place: ScanPlace;
}

/** The result of reading a report. */
export interface ScanReport {
  readonly format: ScanFormat;
  /** One for each value and place, in the order of the report. */
  readonly candidates: readonly ScanCandidate[];
  /** Sentences on what could not be taken from it. */
  readonly findings: readonly string[];
  /** Secrets that the scan has found itself, in a report of `rekey scan --live`. It names no candidates. */
  readonly named?: NamedSecrets;
}

/** Secrets of one environment, and the versions whose values were found. */
export interface NamedSecrets {
  readonly environment: string;
  readonly secrets: readonly { readonly secret: string; readonly versions: readonly string[] }[];
}

const scanFormats = ['gitleaks', 'trufflehog', 'detect-secrets', 'github', 'rekey'] as const;
export type ScanFormat = (typeof scanFormats)[number];

/** Bytes that a report of one JSON text may have. Lines of TruffleHog are read one by one, each up to {@link longestLine}. */
export const mostReportBytes = 50 * 1_024 * 1_024;
/** Characters that one line of TruffleHog may have. */
export const longestLine = 1_024 * 1_024;
/** Candidates that one report may name. */
export const mostScanned = 10_000;

const refused = (why: string): RekeyError =>
  new RekeyError('ScanReportInvalid', `${why}; nothing of it was looked up`);

const bounded = (text: string | null | undefined, longest: number): string | undefined => {
  const line = plain(text ?? '', longest);
  return line === '' ? undefined : line;
};

/** Makes a candidate of a value. A place that quotes the value is left out of it. */
function candidate(
  value: string,
  found: { [Key in keyof ScanPlace]: ScanPlace[Key] | null | undefined },
): ScanCandidate {
  const clean = (text: string | null | undefined) =>
    text?.includes(value) === true ? undefined : bounded(text, 512);
  const [file, commit, rule] = [clean(found.file), clean(found.commit), clean(found.rule)];
  const { line } = found;
  return {
    sha256: hashOf(value),
    place: {
      ...(file !== undefined && { file }),
      ...(typeof line === 'number' && line > 0 && { line }),
      ...(commit !== undefined && { commit }),
      ...(rule !== undefined && { rule }),
    },
  };
}

const text = z.string().nullish();
const lineNumber = z.number().nullish();

/** A finding of gitleaks. @see https://github.com/gitleaks/gitleaks#json */
const gitleaksSchema = z.array(
  z.object({
    RuleID: z.string(),
    Secret: z.string(),
    File: text,
    StartLine: lineNumber,
    Commit: text,
  }),
);

/** A line of TruffleHog. @see https://github.com/trufflesecurity/trufflehog#2-scan-a-repo-and-get-only-verified-secrets-with-json-output */
const truffleHogSchema = z.object({
  DetectorName: z.string(),
  Raw: z.string(),
  RawV2: text,
  SourceMetadata: z
    .object({
      Data: z.record(
        z.string(),
        z.object({ file: text, line: lineNumber, commit: text, link: text }).nullish(),
      ),
    })
    .nullish(),
});

/** A baseline of detect-secrets. @see https://github.com/Yelp/detect-secrets */
const detectSecretsSchema = z.object({
  version: z.string(),
  results: z.record(
    z.string(),
    z.array(z.object({ type: z.string(), hashed_secret: z.string(), line_number: lineNumber })),
  ),
});

/** Alerts of GitHub's REST API. @see https://docs.github.com/en/rest/secret-scanning/secret-scanning */
const gitHubSchema = z.array(
  z.object({
    number: z.number(),
    secret_type: z.string(),
    secret: text,
    html_url: text,
    state: text,
    first_location_detected: z.object({ path: text, start_line: lineNumber, commit_sha: text }).nullish(),
  }),
);

/** Mark of a report of `rekey scan`, with the version of its form. */
export const ownReportFormat = 'rekey-scan/1';

/** A report of `rekey scan --live`: secrets, by their ARNs, and places. It holds no value, and no hash of one. */
const ownReportSchema = z.object({
  format: z.literal(ownReportFormat),
  environment: z.string().min(1).max(64),
  secrets: z
    .array(
      z.object({
        secretArn: z.string().regex(/^arn:[\w-]+:secretsmanager:[\w-]+:\d{12}:secret:.{1,512}$/),
        versions: z.array(z.string().min(1).max(64)).min(1).max(100),
      }),
    )
    .max(mostNamedSecrets),
});

/** Removes what stands in a report for a value that it hides. */
const isRedacted = (value: string): boolean => value === '' || /^(?:REDACTED|\*+)$/i.test(value);

/** Reads a report that is one JSON text. */
function readDocument(json: unknown): ScanReport {
  const gitleaks = gitleaksSchema.safeParse(json).data;
  // An empty list is a report of gitleaks or of GitHub, and names nothing either way.
  if (gitleaks !== undefined) {
    const shown = gitleaks.filter(({ Secret }) => !isRedacted(Secret));
    return {
      format: 'gitleaks',
      candidates: shown.map(({ RuleID, Secret, File, StartLine, Commit }) =>
        candidate(Secret, { file: File, line: StartLine, commit: Commit, rule: RuleID }),
      ),
      findings: hidden(gitleaks.length - shown.length, 'run gitleaks without --redact'),
    };
  }
  const baseline = detectSecretsSchema.safeParse(json).data;
  if (baseline !== undefined) {
    const count = Object.values(baseline.results).reduce((sum, found) => sum + found.length, 0);
    return {
      format: 'detect-secrets',
      candidates: [],
      findings:
        count === 0
          ? []
          : [
              `detect-secrets keeps SHA-1 alone, and fingerprints are found by SHA-256: none of its ${count} findings can be looked up; give each value to rekey whose, or use a scanner that shows values`,
            ],
    };
  }
  const alerts = gitHubSchema.safeParse(json).data;
  if (alerts !== undefined) {
    const open = alerts.filter(({ state }) => state !== 'resolved');
    const shown = open.filter(({ secret }) => typeof secret === 'string' && !isRedacted(secret));
    return {
      format: 'github',
      candidates: shown.map(({ secret, secret_type, first_location_detected: at, html_url }) =>
        candidate(secret ?? '', {
          file: at?.path ?? html_url,
          line: at?.start_line,
          commit: at?.commit_sha,
          rule: secret_type,
        }),
      ),
      findings: [
        ...hidden(open.length - shown.length, 'ask without hide_secret=true, as somebody who may see values'),
        ...(open.length < alerts.length
          ? [`${alerts.length - open.length} alerts are resolved, and were left out`]
          : []),
      ],
    };
  }
  const own = ownReportSchema.safeParse(json).data;
  if (own !== undefined) {
    const secrets = own.secrets.map(({ secretArn, versions }) => ({ secret: secretArn, versions }));
    return {
      format: 'rekey',
      candidates: [],
      findings: [],
      named: { environment: own.environment, secrets },
    };
  }
  throw refused(
    'the file is JSON, and no report of gitleaks, TruffleHog, detect-secrets, GitHub or rekey scan',
  );
}

const hidden = (count: number, remedy: string): readonly string[] =>
  count === 0 ? [] : [`${count} findings hide their values, and cannot be looked up; ${remedy}`];

/** A reader of TruffleHog's lines, which come one by one and are kept as hashes alone. */
class TruffleHogReader {
  readonly candidates: ScanCandidate[] = [];
  #line = 0;
  #others = 0;
  #hidden = 0;

  take(line: string): void {
    this.#line += 1;
    if (line.trim() === '') return;
    if (line.length > longestLine)
      throw refused(`line ${this.#line} has more than ${longestLine} characters`);
    const found = truffleHogSchema.safeParse(jsonOf(line, this.#line)).data;
    // TruffleHog logs into the same stream.
    if (found === undefined) this.#others += 1;
    else this.#add(found);
  }

  #add({ DetectorName, Raw, RawV2, SourceMetadata }: z.output<typeof truffleHogSchema>): void {
    const at = Object.values(SourceMetadata?.Data ?? {}).find((one) => one !== null && one !== undefined);
    const place = { file: at?.file ?? at?.link, line: at?.line, commit: at?.commit, rule: DetectorName };
    // The second form holds pairs, such as the id and the secret of a key; a secret of Rekey's holds each by itself.
    const both = RawV2 ?? '';
    const other = both.startsWith(Raw) ? both.slice(Raw.length).replace(/^:/, '') : '';
    const values = [...new Set([Raw, both, other])].filter((value) => !isRedacted(value));
    if (values.length === 0) this.#hidden += 1;
    this.candidates.push(...values.map((value) => candidate(value, place)));
    requireRoom(this.candidates);
  }

  report(): ScanReport {
    if (this.candidates.length === 0 && this.#hidden === 0) {
      throw refused('the file holds lines of JSON, and none of them is a finding of TruffleHog');
    }
    return {
      format: 'trufflehog',
      candidates: this.candidates,
      findings: [
        ...hidden(this.#hidden, 'run TruffleHog without a filter that removes Raw'),
        ...(this.#others > 0 ? [`${this.#others} lines are no findings, and were left out`] : []),
      ],
    };
  }
}

function requireRoom(candidates: readonly ScanCandidate[]): void {
  if (candidates.length > mostScanned) {
    throw refused(`the report names more than ${mostScanned} values; divide it`);
  }
}

function jsonOf(source: string, line: number): unknown {
  try {
    return JSON.parse(source);
  } catch {
    // The parser's own text quotes what stands there.
    throw refused(`line ${line} is no JSON; is the file whole?`);
  }
}

/** Tells a report of several lines of JSON from one JSON text: each of its lines is an object. */
const isLines = (first: string): boolean => {
  try {
    const json: unknown = JSON.parse(first);
    const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
    return isObject && !('results' in json) && !('format' in json);
  } catch {
    return false;
  }
};

/**
 * Reads a report of a scanner, line by line. Values are hashed as they come and kept nowhere; of a report that is one JSON text,
 * the text itself is in memory until it is read.
 *
 * @param lines - lines of the file, without their ends
 * @throws RekeyError `ScanReportInvalid`, which quotes nothing of the file
 */
export async function readScanReport(lines: AsyncIterable<string>): Promise<ScanReport> {
  const trufflehog = new TruffleHogReader();
  const whole: string[] = [];
  let bytes = 0;
  let isStream: boolean | undefined;
  for await (const raw of lines) {
    const line = isStream === undefined ? raw.replace(/^\ufeff/, '') : raw;
    if (isStream === undefined && line.trim() !== '') isStream = isLines(line);
    if (isStream === true) {
      trufflehog.take(line);
      continue;
    }
    bytes += Buffer.byteLength(line) + 1;
    if (bytes > mostReportBytes) throw refused(`the file has more than ${mostReportBytes} bytes`);
    whole.push(line);
  }
  if (isStream === undefined) throw refused('the file is empty');
  if (isStream) return trufflehog.report();
  const report = readDocument(parsedDocument(whole.join('\n')));
  requireRoom(report.candidates);
  return report;
}

function parsedDocument(document: string): unknown {
  try {
    return JSON.parse(document);
  } catch {
    throw refused('the file is no JSON; is it whole, and the JSON report of the scanner?');
  }
}
