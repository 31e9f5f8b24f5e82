import { findBreaches } from './breaches.ts';

/** Checks the walls of the house as part of `npm run lint`. */
const breaches = findBreaches();
for (const { message } of breaches) process.stderr.write(`${message}\n`);
if (breaches.length > 0) {
  process.stderr.write(
    'Who may import whom stands in docs/walls/rooms.ts, and as a table in docs/architecture.md.\n',
  );
  process.exitCode = 1;
}
