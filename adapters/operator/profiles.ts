import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Reads the names of a file's sections, and takes a missing file for an empty one. */
async function sections(file: string): Promise<readonly string[]> {
  try {
    const text = await readFile(file, 'utf8');
    return [...text.matchAll(/^\s*\[\s*([^\]]+?)\s*\]/gm)].map(([, name = '']) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Lists the profiles of the AWS configuration, from both of its files.
 *
 * @param variables - environment variables, which may say where the files are
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
export async function configuredProfiles(
  variables: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const place = (name: string, file: string) => variables[name] || join(homedir(), '.aws', file);
  const [config, credentials] = await Promise.all([
    sections(place('AWS_CONFIG_FILE', 'config')),
    sections(place('AWS_SHARED_CREDENTIALS_FILE', 'credentials')),
  ]);
  const inConfig = config.flatMap((section) => {
    const profile = section === 'default' ? section : /^profile\s+(["']?)(.+)\1$/.exec(section)?.[2];
    return profile === undefined ? [] : [profile];
  });
  return [...new Set([...inConfig, ...credentials])];
}
