import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, functionFor } from '../lib/function/bundle.ts';
import { registry, type TargetType, targetTypes } from '../rotators/registry.ts';
import { missing, notRun, startTarget } from '../test/conformance/scene.ts';
import { type FunctionProcess, startFunction } from './function-process.ts';
import { limits, type Machine, print, type TypeFigures } from './report.ts';
import { measureRotation, type RotationFigures } from './rotation.ts';
import { median } from './statistics.ts';
import { zipSize } from './zip-size.ts';

const usage = `npm run bench -- [options]

Measures the rotation function of every secret type: calls to AWS, connections to the target, package size, time to
load, time to rotate, and how long the current version of a secret does not log in. See docs/performance.md.

  --type <type>      only this secret type (${targetTypes.join(', ')})
  --delay-ms <n>     how long every call to AWS takes, in milliseconds; default 10
  --rotations <n>    rotations per figure; default 11
  --loads <n>        processes that load the bundle; default 15
  --json             figures as JSON
  --help
`;

const { values } = parseArgs({
  options: {
    type: { type: 'string' },
    'delay-ms': { type: 'string', default: '10' },
    rotations: { type: 'string', default: '11' },
    loads: { type: 'string', default: '15' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function count(option: 'delay-ms' | 'rotations' | 'loads', least: number): number {
  const value = Number(values[option]);
  if (!Number.isInteger(value) || value < least || value > 1_000) {
    throw new Error(`--${option} ${values[option]}: must be a whole number from ${least} to 1000`);
  }
  return value;
}

async function measureType(type: TargetType): Promise<TypeFigures> {
  const directory = await mkdtemp(join(tmpdir(), 'rekey-bench-'));
  try {
    const began = performance.now();
    bundle(directory, { entry: functionFor(type, 'rotation') });
    const bundleMs = performance.now() - began;
    const zipBytes = zipSize(directory);
    const loads = await measureLoads(directory);
    const target = await startTarget(type);
    try {
      const authorities = target.deployed?.certificateAuthorities ?? target.context.certificateAuthorities;
      const caFile = authorities === undefined ? undefined : 'authorities.pem';
      if (authorities !== undefined)
        await writeFile(join(directory, 'authorities.pem'), authorities.join('\n'));
      const rotations: RotationFigures[] = [];
      for (const strategy of registry[type].strategies) {
        const reason = notRun.get(`${type}, ${strategy}`);
        if (reason !== undefined) {
          process.stderr.write(`${type}, ${strategy} is left out: ${reason}\n`);
          continue;
        }
        rotations.push(
          await measureRotation({
            target,
            strategy,
            bundle: directory,
            caFile,
            delayMs: count('delay-ms', 0),
            rotations: count('rotations', 1),
          }),
        );
      }
      return { type, server: target.server, bundleMs, zipBytes, ...loads, rotations };
    } finally {
      await target.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Loads the bundle and the reference by turns, so that both see the same machine. */
async function measureLoads(directory: string) {
  const reference = await mkdtemp(join(tmpdir(), 'rekey-bench-'));
  try {
    bundle(reference, { entry: join(import.meta.dirname, 'reference.ts') });
    const loads: FunctionProcess[] = [];
    const references: FunctionProcess[] = [];
    for (let round = 0; round < count('loads', 1); round += 1) {
      for (const [folder, loaded] of [
        [directory, loads],
        [reference, references],
      ] as const) {
        const started = await startFunction(folder, {
          REKEY_ENVIRONMENT: 'bench',
          REKEY_EVENT_BUS: 'rekey-bench',
          REKEY_AUDIT_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/111122223333/audit.fifo',
          REKEY_STRATEGY: 'single-user',
        });
        loaded.push(started);
        await started.end();
      }
    }
    const times = loads.map(({ loadMs }) => loadMs);
    return {
      loadMs: { median: median(times), min: Math.min(...times), max: Math.max(...times) },
      loadCpuMs: median(loads.map(({ loadCpuMs }) => loadCpuMs)),
      referenceLoadMs: median(references.map(({ loadMs }) => loadMs)),
    };
  } finally {
    await rm(reference, { recursive: true, force: true });
  }
}

if (values.help) {
  process.stdout.write(usage);
} else {
  const only = values.type;
  const types = targetTypes.filter((type) => only === undefined || type === only);
  if (types.length === 0) throw new Error(`--type ${only}: known are ${targetTypes.join(', ')}`);
  const figures: TypeFigures[] = [];
  for (const type of types) {
    const reason = missing.get(type);
    if (reason === undefined) figures.push(await measureType(type));
    else process.stderr.write(`${type} is left out: ${reason}\n`);
  }
  const machine: Machine = {
    node: process.version,
    cores: availableParallelism(),
    load: loadavg()[0] ?? 0,
    delayMs: count('delay-ms', 0),
  };
  process.stdout.write(
    values.json ? `${JSON.stringify({ machine, limits, figures }, null, 2)}\n` : print(machine, figures),
  );
}
