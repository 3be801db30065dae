import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

it('settles every request through a proxy that lies, and then the process ends by itself', () => {
  const script = fileURLToPath(new URL('proxy-main.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    'node',
    ['--conditions=ovn-handover-source', '--no-warnings', script, '1000'],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  expect({ status, stderr, verdict: stdout.trim().split('\n').at(-1), stdout }).toMatchObject({
    status: 0,
    stderr: '',
    verdict: 'PASS',
  });
}, 90_000);
