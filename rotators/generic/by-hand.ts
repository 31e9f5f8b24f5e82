import { type ByHand, newPassword, store } from '../families/by-hand.ts';

/** Writes what is left to a person: nothing within reach refuses the value, so its consumers must. */
export const byHand: ByHand = (target) => ({
  steps: [
    { aim: 'set a new credential', in: 'shell', lines: [newPassword] },
    {
      ...store(target),
      note: 'Where other keys of the JSON hold the value ("rotates" names them), put those in the place of .password.',
    },
  ],
  notes: [
    'No target: the workloads that share the value decide whether they accept it. Make each of them refuse the old value, and end what was begun with it.',
  ],
});
