import { readFileSync } from 'node:fs';
import { defineConfig } from '../../lib/config/config.ts';

/** What `npm run bench:scale` deploys: an ordinary configuration, whose secrets stand in the file that the variable names. */
const file = process.env.REKEY_BENCH_SECRETS;
if (file === undefined || file === '') {
  throw new Error(
    'REKEY_BENCH_SECRETS is not set; this configuration is for npm run bench:scale, which sets it',
  );
}

export default defineConfig({
  environments: {
    bench: {
      account: '000000000000',
      region: 'us-east-1',
      audit: { retentionDays: 1 },
      access: { operators: ['000000000000'], responders: ['000000000000'], auditors: ['000000000000'] },
      secrets: JSON.parse(readFileSync(file, 'utf8')),
    },
  },
});
