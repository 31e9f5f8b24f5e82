import { shellWord } from '../../core/shell-word.ts';
import type { ByHand } from '../families/by-hand.ts';

/** Writes what is left to a person. The secret's own function replaces the credential, and only its target can refuse it. */
export const byHand: ByHand = ({ secret }) => ({
  steps: [
    {
      aim: 'set a new credential',
      in: 'shell',
      lines: [`aws secretsmanager rotate-secret --secret-id=${shellWord(secret)}`],
      note: "The secret's own rotation function makes a new credential and stores it.",
    },
  ],
  notes: [
    "The target is known to the secret's rotation function alone: cut the login off there first, end its sessions, and see the old credential refused.",
  ],
});
