import { createReadStream } from 'node:fs';
import { RekeyError } from '../core/errors/rekey-error.ts';
import { mostReportBytes, readScanReport, type ScanReport } from '../core/signal/scanner-report.ts';

/**
 * Reads the report of a scanner from a file: gitleaks, TruffleHog, detect-secrets, or GitHub's alerts. It gives the SHA-256 of
 * each value with its place; the values themselves leave memory with the line they stand in.
 *
 * @throws RekeyError `ScanReportInvalid` where the file cannot be read, or is no report
 */
export async function scanReport(file: string): Promise<ScanReport> {
  try {
    return await readScanReport(
      linesOf(createReadStream(file, { encoding: 'utf8', highWaterMark: 64 * 1_024 })),
    );
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
    if (error instanceof RekeyError || !/^E[A-Z]+$/.test(code)) throw error;
    throw new RekeyError(
      'ScanReportInvalid',
      `${file} cannot be read (${code}); nothing of it was looked up`,
    );
  }
}

/** Cuts a stream into lines. A line is never longer than what a report may hold, so memory is bounded. */
async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  // Joined once a line, not once a chunk: a report may be one line of many chunks.
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    const [first = '', ...others] = chunk.split('\n');
    parts.push(first);
    length += first.length;
    for (const next of others) {
      yield parts.join('').replace(/\r$/, '');
      [parts, length] = [[next], next.length];
    }
    if (length > mostReportBytes) {
      throw new RekeyError(
        'ScanReportInvalid',
        `one line of the file has more than ${mostReportBytes} characters; nothing of it was looked up`,
      );
    }
  }
  if (length > 0) yield parts.join('').replace(/\r$/, '');
}
