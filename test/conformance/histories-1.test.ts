import { describeHistories } from './histories.ts';

describeHistories(1, 2);
