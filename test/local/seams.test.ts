import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ensurePython } from '../../local/emulator/python.ts';

const emulator = join(import.meta.dirname, '..', '..', 'local', 'emulator');
const cloud = join(emulator, 'cloud');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function python(...args: readonly string[]): Promise<Ended> {
  const env = { PATH: process.env.PATH, PYTHONPATH: emulator, PYTHONDONTWRITEBYTECODE: '1' };
  try {
    const { stdout, stderr } = await promisify(execFile)(await ensurePython(), args, { env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Ended;
  }
}

describe("what the local cloud takes of the emulator's private names stands in seams.py", () => {
  let folder: string;
  const rules = (...folders: readonly string[]) => python(join(emulator, 'lint', 'own_rules.py'), ...folders);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rekey-seams-'));
    await cp(cloud, folder, { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('and nowhere else, and each of them is used', async () => {
    expect(await rules(cloud)).toEqual({ code: 0, stdout: '\n', stderr: '' });
  });

  test.each([
    ['an import', 'from ministack.services.sqs import _queues', '_queues is private'],
    [
      'an import in a function',
      'def f():\n    from ministack.services.sqs import _queues',
      '_queues is private',
    ],
    ['an attribute', 'from ministack.services import sqs\nsqs._queues', 'sqs._queues is private'],
    ['a path', 'import ministack.services.sqs\nministack.services.sqs._queues', 'sqs._queues is private'],
    ['another name', 'from ministack.services import sqs as q\nq._queues', 'q._queues is private'],
    ['a parameter', 'def f(service):\n    return service._queues', 'service._queues is private'],
    ['a text', 'from ministack.services import sqs\ngetattr(sqs, "_queues")', 'goes around the seams'],
    ['a computed text', 'from ministack.services import sqs\nf = lambda x: getattr(sqs, x)', 'goes around'],
    ['a module by its name', 'import importlib\nimportlib.import_module("ministack.app")', 'names a module'],
    ['a public function replaced', 'from ministack import app\napp.main = print', 'is replaced here'],
    [
      'one replaced by text',
      'from ministack import app\nsetattr(app, "main", print)',
      'goes around the seams',
    ],
    [
      'one that is replaced',
      'from ministack.core import iam_evaluator as i\ni.enforce()',
      'use seams.iam_evaluator.',
    ],
    [
      'one of them imported',
      'from ministack.core.iam_evaluator import enforce',
      'use seams.iam_evaluator.enforce',
    ],
    [
      'a subclass',
      'from ministack.core import lambda_runtime as l\nclass W(l.Worker):\n    def f(self):\n        self._x',
      'self._x of W',
    ],
    ['an unlisted name of a seam', 'from cloud import seams\nseams.sqs.nothing', 'lists no nothing of sqs'],
    [
      'one that is only read',
      'from cloud import seams\nseams.sqs.replace(queues={})',
      'does not list queues',
    ],
    ['a seam set by itself', 'from cloud import seams\nseams.sqs.queues = {}', 'is set on the seam alone'],
    ['a docstring in the imperative', 'def f():\n    """Keep it."""', 'begins with "Keep"'],
    ['a banner', '# ------------', 'a banner'],
  ])('%s elsewhere is told', async (_, code, said) => {
    await writeFile(join(folder, 'sample.py'), `${code}\n`);
    const { code: ended, stdout } = await rules(folder);
    expect(stdout.trim().split('\n')).toEqual([expect.stringContaining(said)]);
    expect(stdout).toContain('sample.py:');
    expect(ended).toBe(1);
    await rm(join(folder, 'sample.py'));
  });

  test('one that nobody uses is told', async () => {
    await writeFile(
      join(folder, 'seams.py'),
      'from cloud.emulator import Seam\n\nx = Seam("ministack.x", "_y")\n',
    );
    expect((await rules(folder)).stdout).toContain('_y of ministack.x is listed, and nobody uses it');
  });
});

describe('a local cloud on an emulator that it was not written for does not start', () => {
  const start = (change: string) =>
    python('-c', `${change}\nfrom cloud import emulator, seams\nemulator.verify()`);

  test('but does on the one of requirements.txt', async () => {
    expect(await start('')).toEqual({ code: 0, stdout: expect.any(String), stderr: expect.any(String) });
  });

  test.each([
    [
      'lacks a name',
      'from ministack.services import sqs\ndel sqs._queues',
      'ministack.services.sqs._queues is gone',
    ],
    [
      'takes other parameters',
      'from ministack.services import sqs\nsqs._get_q = lambda url: None',
      'ministack.services.sqs._get_q takes (url), not (url, action)',
    ],
    [
      'has what is added to it',
      'from ministack.services import eventbridge\neventbridge.bus_policy_for_arn = 1',
      'ministack.services.eventbridge.bus_policy_for_arn is there already',
    ],
    [
      'makes other objects',
      'from ministack.core import lambda_runtime\nlambda_runtime.Worker = type("Worker", (), {})',
      'ministack.core.lambda_runtime.Worker._proc is gone',
    ],
    [
      'lacks a module',
      'import sys\nsys.modules["ministack.services.sqs"] = None',
      'ministack.services.sqs cannot be imported',
    ],
  ])('when it %s', async (_, change, said) => {
    const { code, stderr } = await start(change);
    expect(stderr).toMatch(/MiniStack 1\.5\.\d+ is not the one that the local cloud was written for: /);
    expect(stderr).toContain(said);
    expect(code).toBe(1);
  });
});
