import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { ensurePython } from '../../local/emulator/python.ts';

/** One thread adds and removes entries while another loops, with as many switches between them as Python allows. */
const script = `
import copy, json, sys, threading

if sys.argv[1] == "copied":
    from cloud import snapshots
    snapshots.compile_loops()
from ministack.core import responses
from ministack.services import sts

sys.setswitchinterval(1e-6)
running = True
record = {"Versions": {}}

def add():
    turn = 0
    while running:
        turn += 1
        for key in range(turn * 50, turn * 50 + 50):
            sts._sessions[str(key)] = record["Versions"][str(key)] = {"Expiration": 2e10, "expiration": 2e10}
        for key in range(turn * 50, turn * 50 + 50):
            sts._sessions.pop(str(key), None)
            record["Versions"].pop(str(key), None)

for key in range(2000):
    sts._sessions["kept" + str(key)] = record["Versions"]["kept" + str(key)] = {"Expiration": 2e10, "expiration": 2e10}
threading.Thread(target=add, daemon=True).start()
failures = {"session table": 0, "copy of a record": 0}
rounds = 0
for _ in range(int(sys.argv[2])):
    if min(failures.values()) > 0:
        break
    rounds += 1
    for what, work in (("session table", sts._evict_expired_sessions), ("copy of a record", lambda: copy.deepcopy(record))):
        try:
            work()
        except RuntimeError as error:
            assert "changed size during iteration" in str(error) or "keys changed" in str(error), error
            failures[what] += 1
running = False
print(json.dumps({"rounds": rounds, "failures": failures}))
`;

interface Raced {
  readonly rounds: number;
  readonly failures: Readonly<Record<'session table' | 'copy of a record', number>>;
}

async function race(loops: 'copied' | 'as they are', rounds: number): Promise<Raced> {
  const python = await ensurePython();
  const repository = join(import.meta.dirname, '..', '..');
  const child = spawn(python, ['-c', script, loops, String(rounds)], {
    env: {
      PATH: process.env.PATH ?? '',
      PYTHONPATH: join(repository, 'local', 'emulator'),
      PYTHONPYCACHEPREFIX: join(repository, '.rekey', 'pycache'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += String(text);
  });
  child.stderr.on('data', (text) => {
    stderr += String(text);
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

test('a table that one thread changes can be looped over and copied by another', async () => {
  expect(await race('copied', 300)).toEqual({
    rounds: 300,
    failures: { 'session table': 0, 'copy of a record': 0 },
  });
});

test('as the emulator comes, its loops fail: once they do not, the change may go', async () => {
  const { failures } = await race('as they are', 50_000);
  expect(failures['session table']).toBeGreaterThan(0);
  expect(failures['copy of a record']).toBeGreaterThan(0);
});
