import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../lib/function/bundle.ts';

/**
 * Writes the reference of what `@rekey/constructs` exports into a folder. It says so and returns false when an export is
 * undocumented, or a `{@link}` leads nowhere. TypeDoc cannot load the TypeScript that checks the types here, and has one of its
 * own.
 * @param repository - address of the files at the version that is documented; without it no source is linked
 */
export function writeReference(folder: string, repository: string | undefined): boolean {
  const workspace = join(packageRoot, 'reference');
  const typedoc = join(workspace, 'node_modules', 'typedoc', 'bin', 'typedoc');
  const sources =
    repository === undefined
      ? ['--disableSources']
      : ['--disableGit', '--sourceLinkTemplate', `${repository}/{path}#L{line}`];
  const options = ['--options', join(workspace, 'typedoc.json'), '--out', folder, ...sources];
  const { status } = spawnSync(process.execPath, [typedoc, ...options], { stdio: 'inherit' });
  return status === 0;
}
