import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { NotReadable } from './bounded.ts';
import { Bytes } from './bytes.ts';
import type { Scan } from './look.ts';

/** A file's content in a repository, and where it came in. */
interface Blob {
  readonly id: string;
  readonly path: readonly string[];
}

/** Contents that one scan of a history looks at. */
const mostBlobs = 2_000_000;
/** Bytes of one content, which git unpacks in its own memory. */
const mostBlobBytes = 256 * 1_024 * 1_024;

/**
 * Configuration that a hostile repository could have run programs with. It stands on the command line, which counts before that of
 * the repository.
 * @see https://git-scm.com/docs/git-config
 */
const harmless = [
  'core.fsmonitor=false',
  'core.hooksPath=/dev/null',
  'core.pager=cat',
  'core.sshCommand=false',
  'core.alternateRefsCommand=false',
  'core.askPass=false',
  'credential.helper=',
  'diff.external=',
  'log.showSignature=false',
  'gpg.program=false',
  'protocol.allow=never',
  'safe.directory=*',
  // Of a large content git keeps no second copy, and looks for no difference.
  'core.bigFileThreshold=16m',
].flatMap((setting) => ['-c', setting]);

type Git = ChildProcessByStdio<Writable, Readable, null>;

/** Starts git in a folder, without a shell. The configuration of the machine does not count. */
function git(folder: string, args: readonly string[]): Git {
  const { PATH, HOME, TMPDIR, SYSTEMROOT, GIT_INDEX_FILE } = process.env;
  return spawn('git', ['--no-pager', '--no-replace-objects', ...harmless, '-C', folder, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH,
      HOME,
      ...(TMPDIR !== undefined && { TMPDIR }),
      ...(SYSTEMROOT !== undefined && { SYSTEMROOT }),
      // A hook of `git commit -a` and of `git commit <file>` gets an index of its own.
      ...(GIT_INDEX_FILE !== undefined && { GIT_INDEX_FILE }),
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_TERMINAL_PROMPT: '0',
      GIT_NO_LAZY_FETCH: '1',
      GIT_OPTIONAL_LOCKS: '0',
      GIT_ATTR_NOSYSTEM: '1',
      LC_ALL: 'C',
    },
  });
}

/** Ends where git ends. @throws NotReadable if it ended with an error, or is not there */
const ended = (child: Git): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once('error', () => reject(new NotReadable('git is not on this machine, or cannot be started')));
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new NotReadable('git cannot read the repository, or the range')),
    );
  });

/** Reads what git prints as fields that end with NUL. */
async function* fieldsOf(child: Git): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(0); end !== -1; end = rest.indexOf(0, from)) {
      yield rest.toString('utf8', from, end);
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > 64 * 1_024 * 1_024) throw new NotReadable('holds a message of more than 64 MiB');
  }
  if (rest.length > 0) yield rest.toString('utf8');
}

const raw = /^:\d{6} (\d{6}) [0-9a-f]+ ([0-9a-f]{40,64}) [A-Z]\d*$/;
const symbolicLinkOrModule = new Set(['160000']);

/** Lists contents as `git log --raw` and `git diff --raw` print them, each once. Messages are looked into on the way. */
async function* blobsOf(scan: Scan, name: string, child: Git, known: Set<string>): AsyncGenerator<Blob> {
  let commit: string | undefined;
  let pending: string | undefined;
  const told = new Set<string>();
  for await (const field of fieldsOf(child)) {
    // Behind a change stands its path, whatever that looks like.
    const header = pending !== undefined ? null : /^\n?commit ([0-9a-f]{40,64})\n([\s\S]*)$/.exec(field);
    if (header !== null) {
      commit = (header[1] ?? '').slice(0, 12);
      // A merge is listed once for each of its parents.
      if (told.has(commit)) continue;
      told.add(commit);
      const message = Buffer.from(header[2] ?? '');
      await scan.look({ path: [name, `commit ${commit}`, 'message'], bytes: new Bytes(only(message)) });
      continue;
    }
    const change = raw.exec(field.trimStart());
    if (change !== null && pending === undefined) {
      const [, mode = '', id = ''] = change;
      pending = symbolicLinkOrModule.has(mode) || /^0+$/.test(id) ? '' : id;
      continue;
    }
    if (pending === undefined) continue;
    const id = pending;
    pending = undefined;
    if (id === '' || known.has(id)) continue;
    if (known.size >= mostBlobs) throw new NotReadable(`holds more than ${mostBlobs} contents; give a range`);
    known.add(id);
    yield { id, path: commit === undefined ? [name, field] : [name, `commit ${commit}`, field] };
  }
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Reads contents from `git cat-file --batch`, which gives one after the other. */
class BlobReader {
  readonly #child: Git;
  readonly #out: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(folder: string) {
    this.#child = git(folder, ['cat-file', '--batch']);
    this.#child.on('error', () => {});
    this.#child.stdin.on('error', () => {});
    this.#out = (this.#child.stdout as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  }

  /** Looks into one content. */
  async look(scan: Scan, { id, path }: Blob): Promise<void> {
    this.#child.stdin.write(`${id}\n`);
    const header = await this.#line();
    const size = Number(/ blob (\d+)$/.exec(header)?.[1] ?? Number.NaN);
    if (!Number.isInteger(size)) {
      await scan.refuseNamed(path, 'is not in this copy of the repository');
      return;
    }
    const bytes = new Bytes(this.#content(size));
    if (size > mostBlobBytes) await scan.refuseNamed(path, `has more than ${mostBlobBytes / 2 ** 20} MiB`);
    else await scan.look({ path, bytes });
    await bytes.drain();
    await this.#line();
  }

  close(): void {
    this.#child.kill();
  }

  async #fill(): Promise<void> {
    const { done, value } = await this.#out.next();
    if (done === true) throw new NotReadable('git cannot read the repository to its end');
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
  }

  async #line(): Promise<string> {
    let end = this.#rest.indexOf(10);
    while (end === -1) {
      await this.#fill();
      end = this.#rest.indexOf(10);
    }
    const line = this.#rest.toString('latin1', 0, end);
    this.#rest = this.#rest.subarray(end + 1);
    return line;
  }

  async *#content(size: number): AsyncGenerator<Uint8Array> {
    for (let left = size; left > 0; ) {
      if (this.#rest.length === 0) await this.#fill();
      const chunk = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(chunk.length);
      left -= chunk.length;
      yield chunk;
    }
  }
}

/**
 * Looks into every content and message of a repository's history. Each content counts once, at the commit that brought it.
 * @param range - commits, as `git log` takes them, such as `main..HEAD`. @default - all that any branch or tag leads to
 */
export async function lookIntoHistory(scan: Scan, folder: string, range?: string): Promise<void> {
  const log = [
    'log',
    '--reverse',
    '--raw',
    '-z',
    '-m',
    '--root',
    '--no-renames',
    '--no-abbrev',
    '--no-ext-diff',
    '--no-textconv',
  ];
  const format = ['--no-show-signature', '--format=commit %H%n%an <%ae>%n%B'];
  await lookIntoBlobs(scan, folder, [
    ...log,
    ...format,
    ...(range === undefined ? ['--all'] : ['--end-of-options', range]),
    '--',
  ]);
  if (await isShallow(folder)) {
    scan.refuse(
      [nameOf(folder)],
      'is a shallow clone, without the commits of before; fetch all of them: git fetch --unshallow, or fetch-depth: 0 of actions/checkout',
    );
  }
}

/** Tells whether a repository lacks the commits of before, as the copies of pipelines usually do. */
async function isShallow(folder: string): Promise<boolean> {
  const child = git(folder, ['rev-parse', '--is-shallow-repository']);
  child.stdin.end();
  const end = ended(child);
  let said = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) said += chunk.toString('latin1');
  return await end.then(
    () => said.trim() === 'true',
    () => false, // What cannot be read is said by whoever reads it.
  );
}

/** Looks into what stands in the index for the next commit. */
export async function lookIntoStaged(scan: Scan, folder: string): Promise<void> {
  const diff = [
    'diff',
    '--cached',
    '--raw',
    '-z',
    '--no-renames',
    '--no-abbrev',
    '--no-ext-diff',
    '--no-textconv',
  ];
  await lookIntoBlobs(scan, folder, [...diff, '--diff-filter=AMT', '--ignore-submodules=all', '--']);
}

const nameOf = (folder: string): string => realpathSync(folder).split(/[/\\]/).at(-1) ?? folder;

async function lookIntoBlobs(scan: Scan, folder: string, args: readonly string[]): Promise<void> {
  const name = nameOf(folder);
  const list = git(folder, args);
  list.stdin.end();
  const end = ended(list);
  // It is awaited below, and what it says until then is not lost.
  end.catch(() => {});
  const reader = new BlobReader(folder);
  try {
    for await (const blob of blobsOf(scan, name, list, new Set())) {
      await reader.look(scan, blob);
      if (scan.isOver) return;
    }
    await end;
  } catch (error) {
    scan.refuse([name], error instanceof NotReadable ? error.message : 'git cannot read the repository');
  } finally {
    reader.close();
    list.kill();
  }
}
