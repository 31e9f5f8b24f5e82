import { writeFile } from 'node:fs/promises';
import { dayOf } from '../../core/lifecycle/dates.ts';
import { type ScanBounds, usualBounds } from '../../core/scan/bounds.ts';
import { type NotLookedInto, pathText, type SecretFound, subjectOf } from '../../core/scan/finding.ts';
import { notLookedInto, scanRules } from '../../core/scan/kinds.ts';
import type { NamedWaiver } from '../../core/template/check.ts';
import type { Invocation } from '../context.ts';
import { type Environment, openEnvironment } from '../environment.ts';
import { CliError, type ExitCode, usageError } from '../errors.ts';
import { lookupFunctionOf } from '../fingerprint-lookup.ts';
import { asJson, type Output } from '../output.ts';
import { Budget, reasonOf } from '../scan/bounded.ts';
import { lookIntoPath } from '../scan/folder.ts';
import { lookIntoHistory, lookIntoStaged } from '../scan/git.ts';
import { LiveCandidates } from '../scan/live.ts';
import { askAboutLive, ownReport } from '../scan/live-answer.ts';
import { Scan } from '../scan/look.ts';
import { patternTest } from '../scan/pattern.ts';
import { type ReportedViolation, sarifLog } from '../templates/sarif.ts';
import { waiversIn } from '../waivers.ts';

/** Options of {@link scan}. */
export interface ScanOptions {
  readonly paths: readonly string[];
  /** Patterns of files in folders that are left out. */
  readonly exclude: readonly string[];
  /** Commits whose contents are scanned as well; true for all. */
  readonly gitHistory?: string | true;
  /** True to scan what stands in the index of a repository, and nothing else. */
  readonly staged: boolean;
  /** True to ask the environment which secret has a value that was found. */
  readonly live: boolean;
  /** File that the secrets are written to, for `rekey revoke --from-scan`. */
  readonly report?: string;
  readonly sarif: boolean;
  /** File of waivers. @default rekey.waivers.json, where there is one */
  readonly waivers?: string;
  /** Bytes that are unpacked at most. @default 16 GiB */
  readonly mostUnpacked?: number;
}

/** A finding with the waiver that holds for it. */
interface Judged<T> {
  readonly one: T;
  readonly waiver?: NamedWaiver;
  /** Day on which its waiver ended. */
  readonly endedOn?: string;
}

/** The result of a scan, with the waivers that hold. */
interface ScanResult {
  readonly paths: readonly string[];
  readonly environment?: string;
  readonly counts: Scan['counts'];
  readonly found: readonly Judged<SecretFound>[];
  readonly unread: readonly Judged<NotLookedInto>[];
  readonly live?: { readonly asked: number; readonly leftOut: number };
}

/**
 * Runs `rekey scan`: looks into what is shipped for secrets. Without `--live` it asks AWS for nothing.
 * @returns 1 if something was found, or could not be looked into
 * @throws CliError `UsageInvalid` for a path that is not there, `WaiversInvalid`, `ReportNotWritten`
 */
export async function scan(invocation: Invocation, options: ScanOptions): Promise<ExitCode> {
  const { context, output } = invocation;
  if (options.paths.length === 0) {
    throw usageError('UsageInvalid', 'name a file, an archive or a folder; or give --staged');
  }
  const waivers = waiversIn(options.waivers);
  // Asked for first: nobody waits for a long scan to be told that there is no environment.
  const environment = options.live ? await openEnvironment(invocation) : undefined;
  if (environment !== undefined) lookupFunctionOf(environment);
  const bounds: ScanBounds = {
    ...usualBounds,
    ...(options.mostUnpacked !== undefined && { unpackedBytes: options.mostUnpacked }),
  };
  const candidates = environment === undefined ? undefined : new LiveCandidates();
  const looking = new Scan(new Budget(bounds), candidates);
  for (const path of options.paths) await lookInto(looking, path, options);
  const answer = await answerOf(invocation, environment, candidates);
  const found = [...(answer?.raised(looking.found) ?? looking.found)].map((one) => looking.nameOf(one));
  if (looking.beyond > 0) {
    looking.refuse(
      [options.paths.join(', ')],
      `holds ${looking.beyond} findings beyond the ${bounds.findings} that are shown`,
    );
  }
  if (answer !== undefined && answer.leftOut > 0) {
    looking.refuse(
      [options.paths.join(', ')],
      `${answer.leftOut} values were not asked about; scan less at a time`,
    );
  }
  const today = dayOf(context.clock.now());
  const result: ScanResult = {
    paths: options.paths,
    ...(environment !== undefined && { environment: environment.name }),
    counts: looking.counts,
    found: found.map((one) => judged(one, one.rule, one.place.path, waivers, today)),
    unread: looking.notLookedInto.map((one) => judged(one, notLookedInto, one.path, waivers, today)),
    ...(answer !== undefined && { live: { asked: answer.asked, leftOut: answer.leftOut } }),
  };
  if (options.report !== undefined && environment !== undefined) {
    await writeReport(options.report, ownReport(environment.name, context.clock.now(), found));
  }
  if (options.sarif) writeSarif(invocation, result);
  else write(output, result);
  const isWrong = result.found.some(({ one, waiver }) => one.severity === 'error' && waiver === undefined);
  return isWrong || result.unread.some(({ waiver }) => waiver === undefined) ? 1 : 0;
}

async function lookInto(looking: Scan, path: string, options: ScanOptions): Promise<void> {
  if (options.staged) return await lookIntoStaged(looking, path);
  try {
    await lookIntoPath(looking, path, options);
  } catch (error) {
    throw usageError('UsageInvalid', `${path}: ${reasonOf(error)}`);
  }
  if (options.gitHistory === undefined) return;
  await lookIntoHistory(looking, path, options.gitHistory === true ? undefined : options.gitHistory);
}

async function answerOf(
  invocation: Invocation,
  environment: Environment | undefined,
  candidates: LiveCandidates | undefined,
) {
  if (environment === undefined || candidates === undefined) return undefined;
  return await askAboutLive(invocation, environment, candidates);
}

/** Finds the waiver of a finding. Its subject is the place within the artifact, or a pattern of such places. */
function judged<T>(
  one: T,
  rule: string,
  path: readonly string[],
  waivers: readonly NamedWaiver[],
  today: string,
): Judged<T> {
  const [subject, whole] = [subjectOf(path), pathText(path)];
  const own = waivers.filter(
    (waiver) =>
      waiver.rule === rule &&
      [subject, whole].some((text) => text === waiver.subject || patternTest(waiver.subject)(text)),
  );
  const waiver = own.find(({ until }) => until === undefined || until >= today);
  const endedOn = own.find(({ until }) => until !== undefined && until < today)?.until;
  return {
    one,
    ...(waiver !== undefined && { waiver }),
    ...(waiver === undefined && endedOn !== undefined && { endedOn }),
  };
}

async function writeReport(file: string, report: object): Promise<void> {
  try {
    await writeFile(file, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new CliError(3, 'ReportNotWritten', `${file}: ${reasonOf(error)}`);
  }
}

const placeText = ({ place: { path, line, column, offset } }: SecretFound): string =>
  `${pathText(path)}${line === undefined ? '' : `:${line}:${column ?? 1}`}${offset === undefined ? '' : ` at byte ${offset}`}`;

function writeSarif({ context }: Invocation, { paths, found, unread }: ScanResult): void {
  const fileOf = (path: readonly string[]): string => {
    const [name = '', ...inside] = path;
    const given =
      paths.find(
        (one) =>
          one
            .replace(/[/\\]+$/, '')
            .split(/[/\\]/)
            .at(-1) === name,
      ) ?? '.';
    return [given.replaceAll('\\', '/').replace(/\/+$/, ''), ...inside]
      .filter((step) => step !== '.')
      .join('/')
      .toWellFormed();
  };
  // Findings of one rule in one file are told apart by their order.
  const orders = new Map<string, number>();
  const orderOf = (key: string): string => {
    orders.set(key, (orders.get(key) ?? 0) + 1);
    return String(orders.get(key));
  };
  const violations: ReportedViolation[] = [
    ...found.map(({ one, waiver }) => ({
      rule: one.rule,
      severity: one.severity,
      subject: pathText(one.place.path),
      message: messageOf(one),
      fix: fixOf(one),
      file: fileOf(one.place.path),
      property: [orderOf(`${one.rule} ${pathText(one.place.path)}`)],
      ...(one.place.line !== undefined && { line: one.place.line }),
      ...(waiver !== undefined && { waived: waiver.reason }),
    })),
    ...unread.map(({ one, waiver }) => ({
      rule: notLookedInto,
      severity: 'error' as const,
      subject: pathText(one.path),
      message: one.reason,
      fix: 'look into it by other means, or waive it with a reason',
      file: fileOf(one.path),
      property: [one.reason],
      ...(waiver !== undefined && { waived: waiver.reason }),
    })),
  ];
  const log = sarifLog({ version: context.version, rules: scanRules, violations });
  context.stdout.write(`${asJson(log, 2)}\n`);
}

const messageOf = ({ kind, excerpt, remark, live = [] }: SecretFound): string =>
  [
    `${kind}: ${excerpt}`,
    ...live.map(({ secretName, alive }) => `secret ${secretName} has or had it; alive: ${alive}`),
    ...(remark === undefined ? [] : [remark]),
  ].join('; ');

const fixOf = ({ live = [] }: SecretFound): string =>
  live.some(({ alive }) => alive !== 'no')
    ? 'revoke it, and then take it out of what is shipped'
    : 'take it out of what is shipped, and replace it where it works: who has the artifact has it';

function write(output: Output, { paths, environment, counts, found, unread, live }: ScanResult): void {
  output.document({
    paths,
    environment: environment ?? null,
    counts,
    findings: found.filter(({ waiver }) => waiver === undefined).map(({ one }) => documentOf(one)),
    notLookedInto: unread.filter(({ waiver }) => waiver === undefined).map(({ one }) => one),
    waived: [
      ...found.flatMap(({ one, waiver }) =>
        waiver === undefined ? [] : [{ ...documentOf(one), reason: waiver.reason }],
      ),
      ...unread.flatMap(({ one, waiver }) =>
        waiver === undefined ? [] : [{ rule: notLookedInto, path: one.path, reason: waiver.reason }],
      ),
    ],
    live: live ?? null,
  });
  const ended = (endedOn: string | undefined) =>
    endedOn === undefined ? '' : `; its waiver ended on ${endedOn}`;
  for (const { one, waiver, endedOn } of found) {
    if (waiver !== undefined) continue;
    output.line(`${one.severity}  ${one.rule}  ${placeText(one)}`, one.severity === 'error' ? 'bad' : 'warn');
    output.line(`  ${messageOf(one)}${ended(endedOn)}`);
  }
  for (const { one, waiver, endedOn } of unread) {
    if (waiver !== undefined) continue;
    output.line(`error  ${notLookedInto}  ${pathText(one.path)}`, 'bad');
    output.line(`  ${one.reason}${ended(endedOn)}`);
  }
  const standing = found.filter(({ waiver }) => waiver === undefined);
  const count = (severity: SecretFound['severity']) =>
    standing.filter(({ one }) => one.severity === severity).length;
  const open = unread.filter(({ waiver }) => waiver === undefined).length;
  const waived = found.length - standing.length + unread.length - open;
  output.line(
    `${plural(counts.files, 'file')}, ${plural(counts.archives, 'archive')}: ${plural(count('error'), 'error')}, ${plural(count('warning'), 'warning')}, ${open} not looked into${waived > 0 ? `, ${waived} waived` : ''}`,
    count('error') + open > 0 ? 'bad' : 'good',
  );
}

const documentOf = ({ place, remark, live, ...found }: SecretFound) => ({
  ...found,
  path: place.path,
  line: place.line ?? null,
  column: place.column ?? null,
  offset: place.offset ?? null,
  remark: remark ?? null,
  live: live ?? null,
});

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
