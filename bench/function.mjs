// One Lambda environment: imports the bundle that it is given, then answers one event a line. Plain JavaScript, and no
// import before the bundle's, so that nothing that the bundle needs is loaded already when the clock starts.
const began = performance.now();
const cpuBegan = process.cpuUsage();
const { handler } = await import(process.argv[2]);
const loadMs = performance.now() - began;
const { user, system } = process.cpuUsage(cpuBegan);

const { createWriteStream } = process.getBuiltinModule('node:fs');
const { createInterface } = process.getBuiltinModule('node:readline');
const answers = createWriteStream('', { fd: 3 });
const answer = (message) => answers.write(`${JSON.stringify(message)}\n`);

answer({ ms: loadMs, cpuMs: (user + system) / 1_000 });
for await (const line of createInterface({ input: process.stdin })) {
  const start = performance.now();
  const context = {
    functionName: 'rekey-bench',
    functionVersion: '1',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:111122223333:function:rekey-bench',
    memoryLimitInMB: '512',
    awsRequestId: crypto.randomUUID(),
    getRemainingTimeInMillis: () => 30_000 - (performance.now() - start),
  };
  try {
    await handler(JSON.parse(line), context);
    answer({ ms: performance.now() - start });
  } catch (error) {
    answer({ ms: performance.now() - start, error: `${error}` });
  }
}
