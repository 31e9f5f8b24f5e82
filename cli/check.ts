import { explain } from './failure.ts';

/** One thing that was looked at. `skip`: this caller may not look, or there is too little to try. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail' | 'skip';
  readonly detail: string;
  /** Next step for the reader. */
  readonly advice?: string;
}

/** Makes the check of what is in order. */
export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail });
/** Makes the check of what a person should look at. */
export const warn = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'warn',
  detail,
  advice,
});
/** Makes the check of what is broken. */
export const fail = (name: string, detail: string, advice: string): Check => ({
  name,
  status: 'fail',
  detail,
  advice,
});

/** Runs one look and turns what it throws into a check. So one service that is down does not hide the others. */
export async function look(name: string, find: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await find();
  } catch (error) {
    const { code, message, action } = explain(error);
    return code === 'AccessDenied'
      ? [{ name, status: 'skip', detail: `not permitted to this caller: ${action ?? message}` }]
      : [fail(name, message, 'reach the service first; then run rekey doctor again')];
  }
}
