import { startTestbed, type Testbed } from './testbed.ts';

/** Runs a command on a testbed of its own, which ends with the command, also when that fails or a signal ends it. */
export async function withTestbed(
  options: Parameters<typeof startTestbed>[0],
  use: (testbed: Testbed) => Promise<void>,
): Promise<void> {
  const testbed = await startTestbed(options);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void testbed.stop().finally(() => process.exit(130)));
  }
  try {
    await use(testbed);
  } finally {
    await testbed.stop();
  }
}
