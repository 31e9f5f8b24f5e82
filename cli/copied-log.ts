import { CliError } from './errors.ts';

/** Runs a reading of a copy. An error of the file system becomes one that says the directory is no copy of a log. */
export async function explainCopy<T>(directory: string, reading: () => Promise<T>): Promise<T> {
  try {
    return await reading();
  } catch (cause) {
    if (typeof cause !== 'object' || cause === null || !('code' in cause)) throw cause;
    throw new CliError(
      3,
      'CopyMissing',
      `${directory} is not a copy of an audit log (${cause.code}); give the folder that holds entries/, as aws s3 sync writes it`,
      { cause },
    );
  }
}
