import { describe, expect, test } from '@jest/globals';
import { ofEnvironment } from '../facts.ts';

const approvedModes = ['replace'];

describe('NameNotHeld', () => {
  test('is not about an environment in which nothing needs a second person', () => {
    expect(ofEnvironment('NameNotHeld', {})).toBeUndefined();
  });

  test('names that IAM holds are taken', () => {
    expect(ofEnvironment('NameNotHeld', { approvedModes, sessionName: 'aws:username' })).toMatchObject({
      outcome: 'met',
    });
  });

  test('names that the caller chooses are not', () => {
    expect(ofEnvironment('NameNotHeld', { approvedModes })).toMatchObject({
      outcome: 'broken',
      severity: 'error',
      broken: {
        message: 'a second person approves (replace), and the caller chooses the name of a session',
        fix: expect.stringContaining('environments.prod.access.sessionName'),
      },
    });
  });

  test('staging is not asked', () => {
    expect(ofEnvironment('NameNotHeld', { stage: 'staging', approvedModes })).toMatchObject({
      outcome: 'not asked',
    });
  });
});
