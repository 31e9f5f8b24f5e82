import { join } from 'node:path';
import { stopCloud } from '../emulator/cloud.ts';
import { checkout } from '../process/run.ts';
import { dismiss } from './keeper.ts';

/** Runs `npm run local:down`: ends what `npm start -- --keep` of this checkout left running, and nothing else. */
const directory = join(checkout, '.rekey', 'local');
const kept = await dismiss(directory);
const orphan = await stopCloud(join(directory, 'cloud'));
console.log(kept || orphan ? 'The local cloud is down.' : 'Nothing of this checkout was running.');
