import { writeFileSync } from 'node:fs';
import { currentNotices, noticesFile } from './notices.ts';

/** Writes the notices of third parties: `npm run docs:notices`. */
writeFileSync(noticesFile, currentNotices());
